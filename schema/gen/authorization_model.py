from loaders.tables.axion_gen import identity
from resolvers.permissions.guards import Admins
from schema.mapping.declare import column, table_type


@table_type(identity.OpenFgaModelVersion, store="axion_gen", guard=Admins())
class GenAuthorizationModel:
    """An authorization model that was uploaded to OpenFGA by `axion migrate openfga`; the newest is the active one.
    Administrators read them, nobody writes them through the API.
    """

    store_id = column()
    authorization_model_id = column()
    sha256 = column()
    created_at = column()

from loaders.tables.axion_gen import identity
from resolvers.permissions.guards import Admins
from schema.mapping.declare import column, table_type


@table_type(identity.OpenFgaModelVersion, store="axion_gen", guard=Admins())
class GenAuthorizationModel:
    """An authorization model in OpenFGA, uploaded by `axion migrate openfga`. For administrators; read only."""

    store_id = column()
    authorization_model_id = column()
    sha256 = column()
    created_at = column()

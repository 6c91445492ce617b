from loaders.tables.axion_gen import curation
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many, to_one


@table_type(curation.ArticleVersion, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenArticleVersion:
    """A version of an article in a dataset's knowledge base. `isCurrent` marks the current one."""

    article_id = column()
    version = column()
    is_current = column()
    table_name = column()
    title = column()
    body = column()
    tags = column()
    author_subject = column()
    created_at = column()
    author = to_one(
        "GenUser",
        local="author_subject",
        remote="external_auth_id",
        description="The user who wrote this version, if you may see them.",
    )
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the knowledge base.")
    versions = to_many(
        "GenArticleVersion", local="article_id", remote="article_id", description="All versions of the article."
    )

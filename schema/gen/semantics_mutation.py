"""Mutations of articles and semantic metrics: every change is a version. For the dataset's administrators."""

import strawberry

from resolvers.gen.metric_check import check_metric
from resolvers.gen.metric_definition import metric_values
from resolvers.permissions.guards import WriteGuard
from schema.mapping.writes import creates, revises, withdraws

_ADMINS = WriteGuard("dataset", "can_admin", "dataset_id")
_ARTICLE, _METRIC = ("article_id",), ("dataset_id", "name")
_TEXT = ("table_name", "title", "body", "tags")
_FIGURE = ("title", "description", "unit", "kind", "table_name", "grain", "time_column", "dimensions", "definition")


@strawberry.type
class SemanticsMutation:
    gen_article_version_create = creates(
        "GenArticleVersion",
        guard=_ADMINS,
        columns=("dataset_id", *_TEXT),
        author="author_subject",
        description="Creates an article of a knowledge base: its first version. For the dataset's administrators.",
    )
    gen_article_version_revise = revises(
        "GenArticleVersion",
        guard=_ADMINS,
        series=_ARTICLE,
        columns=_TEXT,
        author="author_subject",
        description="Writes the next version of an article, which becomes current. For its dataset's administrators.",
    )
    gen_article_version_withdraw = withdraws(
        "GenArticleVersion",
        guard=_ADMINS,
        series=_ARTICLE,
        description="Withdraws an article: no version is current any more, but all stay readable. For its dataset's "
        "administrators.",
    )
    gen_semantic_metric_create = creates(
        "GenSemanticMetric",
        guard=_ADMINS,
        columns=("dataset_id", "name", *_FIGURE),
        author="author_subject",
        whole=metric_values,
        check=check_metric,
        description="Creates a semantic metric of a dataset: its first version. For the dataset's administrators.",
    )
    gen_semantic_metric_revise = revises(
        "GenSemanticMetric",
        guard=_ADMINS,
        series=_METRIC,
        columns=_FIGURE,
        author="author_subject",
        whole=metric_values,
        check=check_metric,
        description="Writes the next version of a metric, which becomes current. For its dataset's administrators.",
    )
    gen_semantic_metric_withdraw = withdraws(
        "GenSemanticMetric",
        guard=_ADMINS,
        series=_METRIC,
        description="Withdraws a metric: no version is current any more, but all stay readable. For its dataset's "
        "administrators.",
    )

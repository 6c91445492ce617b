"""The mutation root: flat, noun first."""

import strawberry

from schema.accounts.mutation import AccountsMutation
from schema.aura.mutation import AuraMutation
from schema.gen.dashboard_mutation import DashboardMutation
from schema.gen.dataset_mutation import DatasetMutation
from schema.gen.favorite_mutation import FavoriteMutation
from schema.gen.mutation import GenMutation
from schema.gen.role_mutation import GenRoleMutation
from schema.job_mutation import JobMutation
from schema.sense.mutation import SenseMutation


@strawberry.type(description="Everything that can be changed.")
class Mutation(
    GenMutation,
    GenRoleMutation,
    DatasetMutation,
    DashboardMutation,
    FavoriteMutation,
    SenseMutation,
    AuraMutation,
    JobMutation,
    AccountsMutation,
):
    pass

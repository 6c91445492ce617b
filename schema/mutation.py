"""The mutation root: flat, noun first."""

import strawberry

from schema.accounts.mutation import AccountsMutation
from schema.aura.mutation import AuraMutation
from schema.gen.agent_mutation import AgentMutation
from schema.gen.dashboard_mutation import DashboardMutation
from schema.gen.dataset_mutation import DatasetMutation
from schema.gen.encryption import EncryptionMutation
from schema.gen.external_mutation import ExternalMutation
from schema.gen.external_oauth import ExternalOAuthMutation
from schema.gen.favorite_mutation import FavoriteMutation
from schema.gen.mutation import GenMutation
from schema.gen.profile_schedule_mutation import ProfileScheduleMutation
from schema.gen.role_mutation import GenRoleMutation
from schema.gen.semantics_mutation import SemanticsMutation
from schema.gen.user_mutation import GenUserMutation
from schema.job_mutation import JobMutation
from schema.sense.mutation import SenseMutation


@strawberry.type(description="Everything that can be changed.")
class Mutation(
    GenMutation,
    ProfileScheduleMutation,
    GenRoleMutation,
    GenUserMutation,
    DatasetMutation,
    DashboardMutation,
    FavoriteMutation,
    SemanticsMutation,
    AgentMutation,
    ExternalMutation,
    EncryptionMutation,
    ExternalOAuthMutation,
    SenseMutation,
    AuraMutation,
    JobMutation,
    AccountsMutation,
):
    pass

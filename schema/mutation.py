"""The mutation root: flat, noun first."""

import strawberry

from schema.gen.mutation import GenMutation
from schema.job_mutation import JobMutation


@strawberry.type(description="Everything that can be changed.")
class Mutation(GenMutation, JobMutation):
    pass

"""Durable jobs: what is asked for now, done by a worker, and gone on with when that dies. They know no domain."""

from boxscore.jobs.job import Job, JobPage, JobState
from boxscore.jobs.jobs import Jobs
from boxscore.jobs.task import Handler, Task
from boxscore.jobs.worker import Worker

__all__ = ["Handler", "Job", "JobPage", "JobState", "Jobs", "Task", "Worker"]

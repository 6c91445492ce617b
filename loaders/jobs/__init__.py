"""Jobs: the record clients see (`public.jobs`, `public.job_events`), their queue, and watching them."""

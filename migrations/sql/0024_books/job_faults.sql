-- Why a job raised, each time that it did; procrastinate keeps that it failed, and not of what.
CREATE TABLE core.job_faults (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL,
    at timestamptz NOT NULL,
    fault text NOT NULL
);
CREATE INDEX job_faults_job_id_idx ON core.job_faults (job_id, id);
CREATE INDEX job_faults_at_idx ON core.job_faults (at);

-- Jobs by what became of them: few rows, since those that end well are deleted.
CREATE INDEX leadbourse_jobs_failed_idx ON public.procrastinate_jobs (id) WHERE status = 'failed';
CREATE INDEX leadbourse_jobs_doing_idx ON public.procrastinate_jobs (id) WHERE status = 'doing';

-- How old the oldest news in the outbox is; real time.
ALTER TABLE core.outbox ADD COLUMN added_at timestamptz NOT NULL DEFAULT now();

"""FreshBooks to Zoho CRM as an Airflow DAG of one task; set the folder."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "freshbooks_zoho",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
) as dag:
    BashOperator(
        task_id="sync",
        # What Meltano writes for a run holds secrets: it is for its owner alone.
        bash_command="umask 077; cd /srv/freshbooks-zoho && .venv/bin/meltano run sync",
        retries=3,
        retry_delay=timedelta(minutes=5),
    )

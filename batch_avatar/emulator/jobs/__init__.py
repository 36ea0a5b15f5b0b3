"""One job, as values and pure functions: what was asked, whether it is valid, how it ends, how it is shown.

Knows: both generations' bodies and summaries. Must not know: time except as an argument, storage, or HTTP. Begin with
`job.py`, then `validation.py`; `job_status.py` decides where a job stands, `verdict.py` what it comes to and costs.
"""

"""The demonstration: the Ville de Marseille databases on servers of their own, and something happening in them.

    async with demo_estate() as estate:
        await run_workload(estate, stop_event)

Everything lives in private temporary directories and dies with this process, however it dies.
"""

from dbwatch.demo.estate import demo_estate
from dbwatch.demo.model import DemoEstate, DemoServer, Login
from dbwatch.demo.workload import run_workload

__all__ = ["DemoEstate", "DemoServer", "Login", "demo_estate", "run_workload"]

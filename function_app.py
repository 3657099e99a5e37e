"""Triggers only: one Azure event in, one call out. Everything else lives in shared/."""

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

from shared.bootstrap import connector

app = func.FunctionApp()


@app.blob_trigger(
    arg_name="client", path="hr-drop/{feed}/{name}", connection="HR_STORAGE", source=func.BlobSource.EVENT_GRID
)
def upload_hr_file(client: blob.BlobClient) -> None:
    """A file was dropped at hr-drop/<feed>/<file>."""
    connector().upload_hr_file(client)


@app.timer_trigger(arg_name="timer", schedule="%RESUME_SCHEDULE%")
def resume_uploads(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Go on with what is left to send, and find drops whose event never came."""
    connector().resume_uploads()


@app.timer_trigger(arg_name="timer", schedule="%REPORT_SCHEDULE%")
def report_provisioning(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Ask the provisioning logs what became of the workers, and write the summaries."""
    connector().report_provisioning()

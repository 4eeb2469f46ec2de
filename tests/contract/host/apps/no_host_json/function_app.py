"""An app whose host.json is missing."""

import azure.functions as func

app = func.FunctionApp()

"""Two apps where one is allowed."""

import azure.functions as func

app = func.FunctionApp()
other = func.FunctionApp()

def handle(req):
    return f"flask: {req}", 203

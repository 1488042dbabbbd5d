def handle(req):
    return "classic: " + req

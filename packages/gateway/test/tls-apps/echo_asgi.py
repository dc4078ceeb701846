"""Answers each message of a websocket with the scheme that the connection was opened with."""


async def application(scope, receive, send):
    if scope['type'] == 'http':
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': scope['scheme'].encode()})
    if scope['type'] != 'websocket':
        return
    await receive()
    await send({'type': 'websocket.accept'})
    while (event := await receive())['type'] == 'websocket.receive':
        await send({'type': 'websocket.send', 'text': f"{scope['scheme']} {event['text']}"})

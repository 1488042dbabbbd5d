// A function that never comes to listen.

setInterval(() => {}, 1000)
await new Promise(() => {})

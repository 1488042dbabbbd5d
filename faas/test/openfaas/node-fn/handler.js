module.exports = async (event, context) => {
  const result = {
    body: JSON.stringify(event.body),
    'content-type': event.headers['content-type'],
    greeting: process.env.greeting,
    query: event.query,
  }
  return context.status(201).headers({ 'x-made-by': 'node' }).succeed(result)
}

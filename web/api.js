// Talking to the server.

async function ask(path, options) {
  const reply = await fetch(path, { ...options, signal: AbortSignal.timeout(8000), headers: { Accept: 'application/json' } });
  const body = await reply.json().catch(() => null);
  if (!reply.ok) throw new Error(body && body.detail ? body.detail : `the server answered ${reply.status}`);
  return body;
}

export const get = path => ask(path);
export const post = path => ask(path, { method: 'POST' });
export const queuePath = name => `/api/queues/${encodeURIComponent(name)}`;
export const jobPath = (queue, id) => `${queuePath(queue)}/jobs/${encodeURIComponent(id)}`;

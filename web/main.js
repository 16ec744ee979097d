// The dashboard: asks the server each second while someone looks, and shows what changed.

import { get, queuePath } from './api.js';
import { $, h, setAttr, setText } from './dom.js';
import { states } from './format.js';
import { closeSheet, openSheet, refreshSheet, showJobs } from './jobs.js';
import { showQueues, showTiles } from './queues.js';
import { showSchedules, showServer } from './schedules.js';

const EVERY_MS = 1000, RARELY = 5, JOBS = 25;
const chosen = { queue: '', state: '' };
let turn = 0, running = false, failures = 0;

function showLive(kind, text) {
  setAttr($('live'), 'class', `live ${kind}`);
  setText($('live-text'), text);
}

function showTrouble(text) {
  $('trouble').hidden = !text;
  setText($('trouble'), text);
}

const jobsPath = () => `${chosen.queue ? `${queuePath(chosen.queue)}/jobs` : '/api/jobs'}?limit=${JOBS}${chosen.state ? `&state=${chosen.state === 'waiting' ? 'waiting,prioritized' : chosen.state}` : ''}`;

async function refresh() {
  const rarely = turn++ % RARELY === 0, path = jobsPath();
  const [server, queues, jobs, schedules] = await Promise.allSettled([get('/api/server'), get('/api/queues'), get(path), rarely ? get('/api/schedules') : null, refreshSheet()]);
  const now = Date.now();
  if (server.status === 'rejected') throw server.reason;
  showServer(server.value, now);
  if (queues.status === 'fulfilled') {
    showQueues(queues.value.queues, chosen.queue);
    showTiles(queues.value.queues, server.value, now, pickState);
  }
  if (jobs.status === 'fulfilled' && path === jobsPath()) showJobs(jobs.value.jobs, now);
  if (schedules.status === 'fulfilled' && schedules.value) showSchedules(schedules.value.schedules, now);
  const failed = [queues, jobs, schedules].find(part => part.status === 'rejected');
  showTrouble(failed ? failed.reason.message : '');
}

/** One at a time; the next a second later. Stops while the page is hidden. */
async function loop() {
  if (running || document.hidden) return;
  running = true;
  while (!document.hidden) {
    try {
      await refresh();
      failures = 0;
      showLive('on', 'Live');
    } catch {
      failures++;
      showLive('off', 'The server does not answer; trying again');
    }
    await new Promise(done => setTimeout(done, EVERY_MS * Math.min(5, 1 + failures)));
  }
  running = false;
  showLive('', 'Waiting for you to come back');
}

function pick(queue) {
  chosen.queue = queue;
  $('pick-queue').value = queue;
  refresh().catch(() => {});
}

function pickState(state) {
  chosen.state = state;
  for (const button of $('states').children) setAttr(button, 'aria-pressed', button.dataset.state === state ? 'true' : 'false');
  refresh().catch(() => {});
}

function makeStates() {
  const buttons = ['', 'active', 'waiting', 'delayed', 'completed', 'failed'].map(state =>
    h('button', { type: 'button', 'data-state': state, 'aria-pressed': state ? 'false' : 'true', onclick: () => pickState(state) }, state ? states[state] : 'All'));
  $('states').append(...buttons);
}

/** #queue/NAME and #job/QUEUE/ID can be linked to. */
function follow() {
  const [kind, queue, id] = location.hash.slice(1).split('/').map(part => { try { return decodeURIComponent(part); } catch { return ''; } });
  if (kind === 'job' && queue && id) openSheet(queue, id);
  else closeSheet();
  if (kind === 'queue' && queue) {
    pick(queue);
    $('jobs').scrollIntoView({ block: 'start', behavior: 'smooth' });
  }
}

makeStates();
$('pick-queue').addEventListener('change', event => {
  history.replaceState(null, '', event.target.value ? `#queue/${encodeURIComponent(event.target.value)}` : location.pathname);
  pick(event.target.value);
});
addEventListener('hashchange', follow);
document.addEventListener('visibilitychange', loop);
follow();
loop();

// The list of the latest jobs, and the sheet that shows one of them.

import { get, post, jobPath } from './api.js';
import { $, h, list, setAttr, setClass, setText, toast } from './dom.js';
import { ago, clock, duration, full, number, states } from './format.js';

const dateOf = job => job.finishedOn || job.processedOn || job.timestamp;

function took(job, now) {
  if (!job.processedOn) return '';
  const end = job.finishedOn ? new Date(job.finishedOn) : job.state === 'active' ? now : null;
  return end ? duration(end - new Date(job.processedOn)) : '';
}

const hashOf = job => `#job/${encodeURIComponent(job.queue)}/${encodeURIComponent(job.id)}`;

function makeRow(job) {
  const open = event => { if (event.target.tagName !== 'A') location.hash = hashOf(job); };
  return h('tr', { class: 'new', onclick: open },
    h('td', null, h('span', { class: 'badge' })),
    h('td', null, h('a', { class: 'name', href: hashOf(job) }, job.name || '(no name)'), h('span', { class: 'id mono' }, `#${job.id}`), h('span', { class: 'sub' })),
    h('td', { 'data-label': 'Queue' }, job.queue),
    h('td', { class: 'n tries' }), h('td', { class: 'n took' }), h('td', { class: 'n' }, h('time')));
}

function progressOf(job) {
  const p = job.progress;
  if (job.state !== 'active' || p === 0 || p === null || p === undefined) return '';
  return typeof p === 'number' ? `${p} %` : typeof p === 'string' ? p : JSON.stringify(p);
}

function updateRow(row, job, now) {
  const [state, name, , tries, time, when] = row.children, badge = state.firstChild, sub = name.lastChild;
  setText(badge, states[job.state] || job.state);
  setAttr(badge, 'data-state', job.state);
  const note = job.failedReason || progressOf(job);
  setText(sub, note);
  sub.hidden = !note;
  setClass(sub, 'bad', job.failedReason && job.state === 'failed');
  setText(tries, job.attempts > 1 ? `${job.attemptsMade} of ${job.attempts}` : job.attemptsMade);
  setText(time, took(job, now));
  setText(when.firstChild, job.state === 'delayed' && job.delay ? ago(new Date(job.timestamp).getTime() + job.delay, now) : ago(dateOf(job), now));
  setAttr(when.firstChild, 'datetime', dateOf(job));
  setAttr(when.firstChild, 'title', full(dateOf(job)));
}

let first = true;
export function showJobs(jobs, now) {
  const table = $('joblist');
  list(table.tBodies[0], jobs, j => `${j.queue}/${j.id}`, makeRow, (row, j) => updateRow(row, j, now));
  if (first) for (const row of table.tBodies[0].rows) row.classList.remove('new');
  first = false;
  table.hidden = jobs.length === 0;
  table.nextElementSibling.hidden = jobs.length > 0;
}

// The sheet

const sheet = $('job');
let shown = null; // {queue, id}
let was = '';

const pretty = value => typeof value === 'string' ? value : JSON.stringify(value, null, 2);
const part = (title, value, cls) => [h('h3', null, title), h('pre', { class: cls }, pretty(value))];
const isEmpty = value => value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);

async function act(button, job, what, done) {
  button.disabled = true;
  try {
    await post(`${jobPath(job.queue, job.id)}/${what}`);
    toast(done);
    if (what === 'remove') closeSheet();
    else await refreshSheet();
  } catch (error) {
    toast(error.message);
  }
  button.disabled = false;
}

function actionsOf(job) {
  const button = (label, what, done, cls) => {
    const el = h('button', { type: 'button', class: cls }, label);
    el.addEventListener('click', () => act(el, job, what, done));
    return el;
  };
  const actions = [];
  if (job.state === 'failed' || job.state === 'completed') actions.push(button(job.state === 'failed' ? 'Retry' : 'Run again', 'retry', 'The job waits again', job.state === 'failed' ? 'main' : ''));
  if (job.state === 'delayed') actions.push(button('Run now', 'promote', 'The job waits for a worker', 'main'));
  if (job.state !== 'failed' && job.state !== 'completed') actions.push(button('Cancel', 'cancel', 'The job is cancelled', 'danger'));
  if (job.state !== 'active') actions.push(button('Remove', 'remove', 'The job is removed', 'danger'));
  return actions;
}

function timesOf(job) {
  const made = new Date(job.timestamp), began = job.processedOn && new Date(job.processedOn), ended = job.finishedOn && new Date(job.finishedOn);
  const step = (label, date, sub) => h('li', { class: date ? 'done' : null, 'data-state': job.state },
    h('span', { class: 'label' }, label), date ? h('time', { datetime: date.toISOString(), title: full(date) }, clock(date)) : '–', h('span', { class: 'sub' }, sub || ''));
  return h('ol', { class: 'times' }, step('Added', made, full(made).split(',').slice(0, 2).join(',')),
    step('Started', began, began ? `after ${duration(began - made)}` : ''),
    step('Ended', ended, ended && began ? `took ${duration(ended - began)}` : ''));
}

function factsOf(job) {
  const facts = [['Tries', `${job.attemptsMade} made of ${Math.max(1, job.attempts)}`], ['Priority', job.priority], ['Delay', job.delay && duration(job.delay)],
    ['Stalled', job.stalledCount && `${number(job.stalledCount)} times`], ['Worker', job.processedBy], ['Schedule', job.schedulerId], ['Parent', job.parentKey]];
  return h('dl', { class: 'pairs' }, ...facts.filter(([, v]) => v).flatMap(([k, v]) => [h('dt', null, k), h('dd', null, String(v))]));
}

function draw(job) {
  const traces = (Array.isArray(job.stacktrace) ? job.stacktrace : []).filter(trace => trace !== job.failedReason);
  const scroll = sheet.scrollTop;
  sheet.replaceChildren(
    h('div', { class: 'sheet-head' }, h('h2', { id: 'job-title' }, job.name || '(no name)'),
      h('button', { class: 'close', type: 'button', 'aria-label': 'Close', onclick: closeSheet }, '×'),
      h('div', { class: 'row' }, h('span', { class: 'badge', 'data-state': job.state }, states[job.state] || job.state), h('span', null, job.queue), h('span', { class: 'mono' }, `#${job.id}`)),
      h('div', { class: 'actions' }, ...actionsOf(job))),
    h('div', { class: 'sheet' }, timesOf(job),
      ...(job.failedReason ? part('Failed because', job.failedReason, 'reason') : []),
      h('h3', null, 'Facts'), factsOf(job),
      ...part('Data', job.data),
      ...(isEmpty(job.returnValue) ? [] : part('Result', job.returnValue)),
      ...(job.progress ? part('Progress', job.progress) : []),
      ...(job.logs.length ? part('Log', job.logs.join('\n')) : []),
      ...(traces.length ? part('Stack traces', traces.join('\n\n')) : []),
      ...(isEmpty(job.opts) ? [] : part('Options', job.opts))));
  sheet.scrollTop = scroll;
}

function drawGone(message) {
  sheet.replaceChildren(h('div', { class: 'sheet-head' }, h('h2', { id: 'job-title' }, 'No such job'),
    h('button', { class: 'close', type: 'button', 'aria-label': 'Close', onclick: closeSheet }, '×')), h('div', { class: 'sheet' }, h('p', null, message)));
}

/** Draws anew only when something changed: whoever selects text in the sheet can go on. */
export async function refreshSheet() {
  if (!shown) return;
  const { queue, id } = shown;
  let job = null, message = '';
  try {
    job = await get(jobPath(queue, id));
  } catch (error) {
    message = error.message;
  }
  if (!shown || shown.queue !== queue || shown.id !== id) return;
  const now = JSON.stringify(job) + message;
  if (now === was) return;
  was = now;
  if (job) draw(job);
  else drawGone(message);
}

export async function openSheet(queue, id) {
  shown = { queue, id };
  was = '';
  await refreshSheet();
  if (shown && !sheet.open) sheet.showModal();
  sheet.scrollTop = 0;
}

export function closeSheet() {
  if (sheet.open) sheet.close();
}

sheet.addEventListener('close', () => {
  shown = null;
  if (location.hash.startsWith('#job/')) history.replaceState(null, '', location.pathname);
});
sheet.addEventListener('click', event => { if (event.target === sheet) closeSheet(); });

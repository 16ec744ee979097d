// The table of queues, and the tiles above it.

import { post, queuePath } from './api.js';
import { $, h, list, setAttr, setClass, setText, toast } from './dom.js';
import { number } from './format.js';

const columns = [
  { label: 'Waiting', of: c => c.waiting + c.prioritized },
  { label: 'Active', of: c => c.active, class: 'active-n' },
  { label: 'Delayed', of: c => c.delayed },
  { label: 'Completed', of: c => c.completed },
  { label: 'Failed', of: c => c.failed, class: 'failed-n' },
];

async function steer(button, name, paused) {
  button.disabled = true;
  try {
    await post(`${queuePath(name)}/${paused ? 'resume' : 'pause'}`);
    toast(paused ? `${name}: jobs are handed out again` : `${name} is paused: running jobs go on, no new ones start`);
  } catch (error) {
    toast(`${name}: ${error.message}`);
  }
  button.disabled = false;
}

function makeRow(queue) {
  const button = h('button', { type: 'button' });
  button.addEventListener('click', () => steer(button, queue.name, button.dataset.paused === 'yes'));
  return h('tr', null,
    h('td', { class: 'wide' }, h('a', { class: 'name', href: `#queue/${encodeURIComponent(queue.name)}` }, queue.name),
      h('span', { class: 'badge paused', hidden: true }, 'Paused')),
    ...columns.map(c => h('td', { class: `n ${c.class || ''}`, 'data-label': c.label })),
    h('td', { 'data-label': 'Workers here' }, h('span', { class: 'meter' }, h('progress', { value: 0, max: 1, 'aria-hidden': 'true' }), h('span'))),
    h('td', { class: 'act n' }, button));
}

function updateWorker(cell, worker) {
  const bar = cell.querySelector('progress'), text = cell.querySelector('.meter span');
  bar.hidden = !worker;
  if (worker) {
    bar.max = worker.concurrency;
    bar.value = worker.running;
  }
  setText(text, worker ? `${worker.running} of ${worker.concurrency}` : 'none');
  setAttr(text, 'title', worker ? `${number(worker.completed)} completed, ${number(worker.failed)} failed, ${number(worker.retried)} tried again since the start` : 'No worker of this process takes from this queue');
}

function updateRow(row, queue, chosen) {
  const cells = row.children;
  setClass(row, 'chosen', queue.name === chosen);
  cells[0].querySelector('.badge').hidden = !queue.paused;
  columns.forEach((column, i) => {
    const n = column.of(queue.counts);
    setText(cells[i + 1], number(n));
    setClass(cells[i + 1], 'zero', n === 0);
  });
  const more = queue.counts['waiting-children'];
  setAttr(cells[1], 'title', `${number(queue.counts.waiting)} in line, ${number(queue.counts.prioritized)} by priority, ${number(more)} waiting for children`);
  updateWorker(cells[columns.length + 1], queue.worker);
  const button = row.querySelector('button');
  button.dataset.paused = queue.paused ? 'yes' : 'no';
  setText(button, queue.paused ? 'Resume' : 'Pause');
  setAttr(button, 'aria-label', `${queue.paused ? 'Resume' : 'Pause'} ${queue.name}`);
}

export function showQueues(queues, chosen) {
  const table = $('queues');
  list(table.tBodies[0], queues, q => q.name, makeRow, (row, q) => updateRow(row, q, chosen));
  table.hidden = queues.length === 0;
  table.nextElementSibling.hidden = queues.length > 0;
  list($('pick-queue'), [{ name: '' }, ...queues], q => q.name, q => h('option', { value: q.name }, q.name || 'All'), () => {});
  if ($('pick-queue').value !== chosen) $('pick-queue').value = chosen;
}

// Tiles

const history = [];

/** Jobs that this server's workers ended, a second, over the last ten. */
function rateOf(queues, now) {
  const done = queues.reduce((sum, q) => sum + (q.worker ? q.worker.completed + q.worker.failed : 0), 0);
  const last = history[history.length - 1];
  if (last && done < last.done) history.length = 0;
  history.push({ now, done });
  if (history.length > 61) history.shift();
  const from = history[Math.max(0, history.length - 11)];
  return now > from.now ? (done - from.done) * 1000 / (now - from.now) : 0;
}

function drawSpark(svg) {
  const rates = history.slice(1).map((h, i) => Math.max(0, h.done - history[i].done) * 1000 / Math.max(1, h.now - history[i].now));
  const top = Math.max(1, ...rates);
  const points = rates.map((r, i) => `${(60 - rates.length + i) * 100 / 59},${30 - r * 27 / top}`);
  svg.firstChild.setAttribute('points', points.join(' '));
  svg.lastChild.setAttribute('points', points.length ? `${points[0].split(',')[0]},31 ${points.join(' ')} 100,31` : '');
}

function makeSpark() {
  const ns = 'http://www.w3.org/2000/svg', svg = document.createElementNS(ns, 'svg');
  for (const [name, value] of [['class', 'spark'], ['viewBox', '0 0 100 31'], ['preserveAspectRatio', 'none'], ['aria-hidden', 'true']]) svg.setAttribute(name, value);
  svg.append(document.createElementNS(ns, 'polyline'), document.createElementNS(ns, 'polygon'));
  return svg;
}

function hitRatio(cache) {
  const all = cache.hits + cache.shared + cache.misses;
  return all ? `${(100 * (cache.hits + cache.shared) / all).toFixed(all > 1000 ? 1 : 0)} %` : '–';
}

/** `pick(state)` is called when a tile that counts jobs is chosen. */
export function showTiles(queues, server, now, pick) {
  const sum = f => queues.reduce((total, q) => total + f(q.counts), 0);
  const rate = rateOf(queues, now), failed = sum(c => c.failed), paused = queues.filter(q => q.paused).length;
  const tiles = [
    { label: 'Waiting', state: 'waiting', value: number(sum(c => c.waiting + c.prioritized)), hint: paused ? `${paused} of ${queues.length} queues paused` : `in ${queues.length} queues` },
    { label: 'Active', state: 'active', value: number(sum(c => c.active)), hint: 'running now' },
    { label: 'Delayed', state: 'delayed', value: number(sum(c => c.delayed)), hint: 'for later' },
    { label: 'Failed', state: 'failed', value: number(failed), hint: failed ? 'kept for you to look at' : 'nothing to look at', alarm: failed > 0 },
    { label: 'Jobs a second', value: rate < 10 ? rate.toFixed(1) : number(Math.round(rate)), hint: ' ', spark: true },
    server ? { label: 'Cache hits', value: hitRatio(server.cache), hint: `${number(server.cache.hits + server.cache.shared + server.cache.misses)} lookups` }
           : { label: 'Cache hits', value: '–', hint: ' ' },
  ];
  list($('tiles'), tiles, t => t.label,
    t => h('li', { class: 'tile' }, h('span', { class: 'label' }, t.label), h('span', { class: 'value' }), h('span', { class: 'hint' }), t.spark && makeSpark(),
      t.state && h('button', { class: 'cover', type: 'button', 'aria-label': `Show jobs: ${t.label}`, onclick: () => pick(t.state) })),
    (el, t) => {
      setText(el.children[1], t.value);
      setText(el.children[2], t.hint);
      setClass(el, 'alarm', t.alarm);
      if (t.spark) drawSpark(el.children[3]);
    });
}


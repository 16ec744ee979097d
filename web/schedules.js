// Schedules and the server's own facts.

import { $, h, list, setAttr, setText } from './dom.js';
import { ago, bytes, duration, full, number } from './format.js';

function ruleOf(schedule) {
  return schedule.pattern ? schedule.pattern : `every ${duration(schedule.every)}`;
}

function lastOf(schedule, now) {
  const run = schedule.lastRun;
  if (!run) return ['', 'not yet'];
  return [run.ok ? '✓ ' : '✗ ', `${ago(run.finishedMs, now)}, took ${duration(run.tookMs)}`];
}

export function showSchedules(schedules, now) {
  const table = $('schedules');
  list(table.tBodies[0], schedules, s => `${s.queue}/${s.id}`,
    s => h('tr', null, h('td', { class: 'wide' }, h('span', { class: 'name' }, s.id), h('span', { class: 'sub' }, s.queue)),
      h('td', { 'data-label': 'Rule' }, h('code'), h('span', { class: 'sub' })),
      h('td', { 'data-label': 'Next run' }, h('time')),
      h('td', { 'data-label': 'Last run' }, h('span'), h('span')),
      h('td', { class: 'n', 'data-label': 'Jobs made' })),
    (row, s) => {
      const [, rule, next, last, runs] = row.children, [mark, text] = lastOf(s, now);
      setText(rule.firstChild, ruleOf(s));
      setText(rule.lastChild, s.tz || 'UTC');
      setText(next.firstChild, s.paused ? 'paused' : s.next ? ago(s.next, now) : 'has ended');
      setAttr(next.firstChild, 'title', s.next ? full(s.next) : false);
      setText(last.firstChild, mark);
      setAttr(last.firstChild, 'class', s.lastRun && !s.lastRun.ok ? 'bad-mark' : 'ok-mark');
      setAttr(last.firstChild, 'aria-label', s.lastRun ? (s.lastRun.ok ? 'succeeded' : 'failed') : false);
      setText(last.lastChild, text);
      setAttr(last.lastChild, 'title', s.lastRun ? JSON.stringify(s.lastRun.result) : false);
      setText(runs, number(s.iterations));
    });
  table.hidden = schedules.length === 0;
  table.nextElementSibling.hidden = schedules.length > 0;
}

export function showServer(server, now) {
  const redis = server.redis, software = redis.software ? `${redis.software[0].toUpperCase()}${redis.software.slice(1)} ${redis.version}` : 'Redis';
  const facts = [
    ['Redis', `${software}, ${redis.connected ? 'connected' : 'away'}`, `${redis.embedded ? 'our own, ' : ''}${redis.where.replace(/^unix:\/\//, '')}`],
    ['Store', server.store.split(' ')[0], server.store.split(' ').slice(1).join(' ')],
    ['Mail', server.mail.startsWith('maildir ') ? 'Kept in a folder' : 'Sent by SMTP', server.mail.replace(/^maildir /, '')],
    ['Running for', duration(now - server.startedMs), `process ${server.pid}, since ${full(server.startedMs)}`],
    ['Time zones', server.tzdb ?? 'unknown', 'version of their data'],
    ['Memory', bytes(server.residentBytes), `${server.cpuSeconds.toFixed(1)} s of processor time`],
    ['Redis commands', number(redis.commands), redis.reconnects ? `${number(redis.reconnects)} reconnects` : 'connection never lost'],
  ];
  list($('server'), facts, f => f[0], f => h('div', null, h('dt', null, f[0]), h('dd', null, h('span'), h('span', { class: 'sub' }))), (el, f) => {
    const [main, sub] = el.lastChild.children;
    setText(main, f[1]);
    setText(sub, f[2]);
    setAttr(main, 'class', f[0] === 'Redis' && !redis.connected ? 'bad-mark' : false);
  });
  setText($('version'), `StoryChain ${server.version}`);
}

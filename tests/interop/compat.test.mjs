// docs/compat.md says the truth: every test it names is there; and BullMQ is still the one whose data we know.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { QueueKeys } from 'bullmq';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(dirname(HERE));
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The titles of a file's tests, as regular expressions: what a title computes may be anything. */
function titlesOf(file) {
  const titles = [...read(`tests/interop/${file}.test.mjs`).matchAll(/\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g)];
  return titles.map(([, single, double, template]) => {
    const text = (single ?? double ?? template).replace(/\\(.)/g, '$1');
    return template === undefined ? [text] : text.split(/\$\{[^}]*\}/);
  });
}

/** Does the title, in pieces around what it computes, read as `cited`, in pieces around its "…"? */
function agrees(title, cited) {
  if (new RegExp(`^${cited.split(/ ?… ?/).map(escaped).join('.*')}`).test(title.join(''))) return true;
  return title.length > 1 && cited.startsWith(title[0]);
}

/** A test of that title; or one of a row of tests, named by what tells it from the others, which the file then has as a value. */
function exists(file, cited) {
  return titlesOf(file).some((title) => agrees(title, cited)) || new RegExp(`['"\`]?\\b${escaped(cited)}['"\`]?[,:]|\\['${escaped(cited)}'`).test(read(`tests/interop/${file}.test.mjs`));
}

/** [file, title] of every test that a cell names: "add: *one*, *two …*; worker: *three*". */
function citations(cell) {
  return [...cell.matchAll(/\b([a-z_]+): ((?:\*[^*]+\*(?:, )?(?: and )?)+)/g)].flatMap(([, file, titles]) => [...titles.matchAll(/\*([^*]+)\*/g)].map(([, title]) => [file, title]));
}

const rows = read('docs/compat.md').split('\n').filter((line) => /^\| /.test(line));

test('every test that the table names exists', () => {
  const missing = [];
  let named = 0;
  for (const row of rows)
    for (const [file, title] of citations(row)) {
      named++;
      if (!exists(file, title)) missing.push(`${file}: ${title}`);
    }
  assert.deepEqual(missing, []);
  assert.ok(named > 100, `${named} tests are named`);
  for (const [, file] of read('docs/compat.md').matchAll(/\b(tests\/[a-z_/]+\.c|[a-z_]+\.test\.mjs)\b/g)) read(file.startsWith('tests/') ? file : `tests/interop/${file}`);
});

test('every feature has its row', () => {
  const seen = new Set();
  for (const row of rows) {
    const numbers = row.match(/^\| ([0-9][0-9, –]*) \|/)?.[1] ?? '';
    for (const part of numbers.split(', ').filter(Boolean)) {
      const [first, last = first] = part.split('–').map(Number);
      for (let n = first; n <= last; n++) seen.add(n);
    }
  }
  const GROUPS = 50;
  assert.deepEqual(Array.from({ length: 139 }, (_, i) => i + 1).filter((n) => !seen.has(n)), [GROUPS]);
});

test("BullMQ's version is the one that we answer to", () => {
  const require = createRequire(import.meta.url);
  const installed = JSON.parse(readFileSync(join(dirname(require.resolve('bullmq')), '../../package.json'), 'utf8')).version;
  const [, ours] = read('src/ops/layout.h').match(/SC__LAYOUT_VERSION "bullmq:([\d.]+)"/);
  assert.equal(ours, installed, 'compare the data again (every state test), then say so in src/ops/layout.h');
});

test("BullMQ's keys are those that we know", () => {
  const ours = [...read('src/ops/keys.h').matchAll(/^ +X\([A-Z_]+, "([^"]+)"/gm)].map(([, suffix]) => suffix);
  const theirs = Object.keys(new QueueKeys('p').getKeys('q')).filter(Boolean);
  // What others write and we only remove or never meet; what BullMQ knows under another constant.
  const strangers = ['de', 'delay', 'job', 'priority', 'metrics:completed', 'metrics:failed'];
  assert.deepEqual(theirs.filter((key) => !ours.includes(key) && !strangers.includes(key)), []);
});

// The program in the hands of a user who does everything wrong: exit codes, the sentence on stderr, and that nothing is left behind.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRedis, waitFor } from './lib.mjs';
import { PROGRAM, FAILED, USAGE, NOT_FOUND, UNREACHABLE, REFUSED, expectFailure, expectJson, serve, storychain, tempFolder } from './program.mjs';

describe('words and options', () => {
  const cases = [
    [['frobnicate'], USAGE, /there is no command "frobnicate"; `storychain --help` lists them/],
    [['serv'], USAGE, /did you mean `storychain serve`\?/],
    [['queues', '--json'], USAGE, /no command "queues"; did you mean `storychain queue list`\?/],
    [['job', 'lst'], USAGE, /did you mean `storychain job list`\?/],
    [['queue'], USAGE, /"queue" is not the whole command; there are: `queue list` `queue pause` `queue resume`/],
    [['--json', 'queue', 'list'], USAGE, /options come after the command/],
    [['queue', 'list', '--jsn'], USAGE, /there is no option --jsn; `storychain queue list --help` lists them/],
    [['queue', 'list', '-j'], USAGE, /there is no option -j; options are written out/],
    [['queue', 'list', 'extra'], USAGE, /"extra" is one word too many/],
    [['job', 'show', 'email'], USAGE, /it needs QUEUE ID; see `storychain job show --help`/],
    [['story', 'import'], USAGE, /it needs FILE/],
    [['serve', '--listen'], USAGE, /--listen needs a value/],
    [['serve', '--sample=3'], USAGE, /--sample takes no value/],
    [['serve', '--drain', '5 minutes'], USAGE, /--drain: "5 minutes" is not a time; write it like 500ms, 30s, 5m or 1h/],
    [['serve', '--log-level', 'loud'], USAGE, /--log-level: "loud" is not one of debug\|info\|warn\|error/],
    [['serve', '--allow-remote=perhaps'], USAGE, /neither yes nor no/],
    [['story', 'list', '--limit', '0'], USAGE, /--limit: "0" is not a whole number from 1 to 1000/],
  ];
  for (const [args, code, sentence] of cases) test(args.join(' '), () => expectFailure(args, code, sentence));

  test('help is asked for in every way that people try', async () => {
    for (const args of [[], ['help'], ['--help'], ['-h'], ['queue', '--help'], ['help', 'queue'], ['queue', 'list', '-h'], ['help', 'job', 'show']]) {
      const got = await storychain(args);
      assert.equal(got.code, 0, args.join(' '));
      assert.equal(got.stderr, '');
      assert.match(got.stdout, /storychain/);
    }
    await expectFailure(['help', 'frobnicate'], USAGE, /there is no command "frobnicate"/);
  });

  test('help fits a terminal of 80 columns', async () => {
    const { stdout } = await storychain(['help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+(?: [a-z]+)?)(?= )/gm)].map(([, name]) => name.split(' '));
    assert.ok(commands.length > 10);
    for (const command of [[], ...commands]) {
      const got = await storychain([...command, '--help']);
      assert.equal(got.code, 0);
      for (const line of got.stdout.split('\n').slice(1)) assert.ok([...line].length <= 80, line);
    }
  });

  test('bash completes commands and options', async () => {
    const { stdout, code } = await storychain(['help', 'completion']);
    const complete = (...words) => {
      const script = `${stdout}\nCOMP_WORDS=(${['storychain', ...words].map((w) => `'${w}'`).join(' ')}); COMP_CWORD=${words.length}; _storychain; echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
    };
    assert.equal(code, 0);
    for (const word of ['serve', 'queue', 'cron', 'help']) assert.ok(complete('').includes(word), word);
    assert.deepEqual(complete('que'), ['queue']);
    assert.deepEqual(complete('cron', ''), ['next', 'explain', 'lint']);
    assert.deepEqual(complete('cron', 'next', '--t'), ['--tz']);
    assert.deepEqual(complete('queue', 'list', '--redis'), ['--redis-url']);
    assert.deepEqual(complete('queue', 'clean', 'email', 'failed', '--old'), ['--older-than']);
    assert.deepEqual(complete('story', 'import', ''), complete('story', 'import', 'x', '')); // options; bash adds files
    assert.deepEqual(complete('nonsense', ''), ['']);
  });

  test('the manual page has every command and option, and no line that troff would take for its own', async () => {
    const { stdout, code } = await storychain(['help', 'man']);
    assert.equal(code, 0);
    assert.match(stdout, /^\.TH STORYCHAIN 1 /);
    for (const name of ['serve', 'story import', 'job show', 'cron next']) assert.ok(stdout.includes(`.SS storychain ${name}`), name);
    for (const line of stdout.split('\n')) assert.match(line, /^(\.(TH|SH|SS|PP|TP|nf|fi|B)( |$)|[^.']|$)/, line);
  });
});

describe('story import', () => {
  const story = (more) => ({
    slug: 'island',
    title: 'The Island',
    author: { clerkId: 'user_ada', name: 'Ada', email: 'ada@example.org' },
    chapters: [{ slug: 'storm', title: 'The Storm', content: 'It began.' }],
    ...more,
  });
  const chapter = (slug, parent) => ({ slug, title: slug, content: 'x', ...(parent ? { parent } : {}) });
  const files = [
    ['broken.json', '{"slug": "a", ', FAILED, /broken\.json: not JSON: .*line 1/],
    ['list.json', '[]', FAILED, /list\.json: the story must be an object/],
    ['empty.json', '', FAILED, /empty\.json: is empty/],
    ['empty.md', '', FAILED, /empty\.md: is empty/],
    ['latin.json', Buffer.from('{"title":"caf\xe9"}', 'latin1'), FAILED, /latin\.json:1: is not UTF-8: byte 0xe9 at offset 13/],
    ['latin.md', Buffer.from('---\ntitle: caf\xe9\n---\n', 'latin1'), FAILED, /latin\.md:2: is not UTF-8/],
    ['nul.md', '---\ntitle: a\0b\n---\n', FAILED, /nul\.md:2: has a NUL byte/],
    ['unclosed.md', '---\ntitle: A\nno end', FAILED, /unclosed\.md:3: /],
    ['unknown-key.md', '---\ntitle: A\ncolour: red\n---\n## B\n\nx\n', FAILED, /unknown-key\.md:3: .*colour/],
    ['missing-parent.json', JSON.stringify(story({ chapters: [chapter('a'), chapter('b', 'cellar')] })), FAILED, /chapter "b" continues "cellar", but no chapter has that slug/],
    ['missing-parent.md', '---\ntitle: A\nauthor: Ada\n---\n\n## B\n\nx\n\n## C {#c parent=cellar}\n\nx\n', FAILED, /missing-parent\.md:10: chapter "c" continues "cellar"/],
    ['cycle.json', JSON.stringify(story({ chapters: [chapter('r'), chapter('a', 'b'), chapter('b', 'a')] })), FAILED, /cycle\.json: chapter "a" continues itself/],
    ['twice.json', JSON.stringify(story({ chapters: [chapter('a'), chapter('a')] })), FAILED, /twice\.json: .*"a"/],
    ['no-author.json', JSON.stringify({ ...story(), author: undefined }), FAILED, /no-author\.json: "author" is missing/],
    ['story.txt', JSON.stringify(story()), FAILED, /story\.txt: is of a kind that is not known: a story's file ends in \.json, \.md or \.markdown/],
  ];

  test('a file that does not fit is refused in one sentence, and nothing of it is stored', async (t) => {
    const folder = await tempFolder(t), state = join(folder, 'state');
    for (const [name, text, code, sentence] of files) {
      await writeFile(join(folder, name), text);
      assert.equal(await expectFailure(['story', 'import', join(folder, name), '--state-dir', state], code, sentence), '');
    }
    await mkdir(join(folder, 'folder.json'));
    await expectFailure(['story', 'import', join(folder, 'folder.json'), '--state-dir', state], FAILED, /is not a file with a story in it/);
    await expectFailure(['story', 'import', join(folder, 'gone.json'), '--state-dir', state], NOT_FOUND, /gone\.json: can't be read: No such file/);
    await expectFailure(['story', 'import', '/dev/zero', '--state-dir', state], FAILED, /\/dev\/zero/);
    assert.deepEqual(await expectJson(['story', 'list', '--state-dir', state]), []);
  });

  test('of several files those before the bad one are stored, and a slug that exists is refused', async (t) => {
    const folder = await tempFolder(t), state = join(folder, 'state');
    const names = ['good.json', 'bad.json', 'late.json'].map((name) => join(folder, name));
    await writeFile(names[0], JSON.stringify(story()));
    await writeFile(names[1], '{');
    await writeFile(names[2], JSON.stringify(story({ slug: 'late' })));

    const stdout = await expectFailure(['story', 'import', ...names, '--state-dir', state], FAILED, /bad\.json: not JSON/);
    assert.equal(stdout, 'island: 1 chapter imported\n');
    await expectFailure(['story', 'import', names[0], '--state-dir', state], FAILED, /a story with the slug "island" exists already/);
    assert.deepEqual(await expectJson(['story', 'import', names[2], '--state-dir', state]), { slug: 'late', chapters: 1 });
    assert.deepEqual((await expectJson(['story', 'list', '--state-dir', state])).map((s) => s.slug).sort(), ['island', 'late']);
  });

  test('a full disk is said, and the database stays whole', async (t) => {
    const cleanups = [];
    t.after(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });
    const folder = await tempFolder({ after: (f) => cleanups.push(f) }), state = join(folder, 'small');
    await mkdir(state);
    const mount = spawn('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', state], { stdio: 'ignore' });
    const [code] = await once(mount, 'exit').catch(() => [1]);
    if (code !== 0) return t.skip('a tmpfs can only be mounted by root');
    cleanups.push(() => once(spawn('umount', ['-l', state]), 'exit'));
    const big = join(folder, 'big.json');
    await writeFile(big, JSON.stringify(story({ chapters: Array.from({ length: 40 }, (_, i) => ({ ...chapter(`c${i}`), content: 'x'.repeat(100_000) })) })));

    await expectFailure(['story', 'import', big, '--state-dir', state], FAILED, /big\.json: .*full/);
    assert.deepEqual(await expectJson(['story', 'list', '--state-dir', state]), []);
  });
});

describe('serve does not start', () => {
  test('on a port in use, before it has made anything', async (t) => {
    const folder = await tempFolder(t);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const address = `127.0.0.1:${taken.address().port}`;

    await expectFailure(['serve', '--state-dir', join(folder, 's'), '--listen', address], FAILED, new RegExp(`${address} is in use by another program.*--listen`));
    assert.deepEqual(await readdir(folder), []);
  });

  test('on addresses that are none, or that others reach', async (t) => {
    const folder = await tempFolder(t);
    for (const bad of ['8080', 'localhost', '127.0.0.1:99999', '127.0.0.1:-1', '::1:80', ''])
      await expectFailure(['serve', '--state-dir', folder, '--listen', bad], USAGE, /is not an address to listen on: write HOST:PORT/);
    await expectFailure(['serve', '--state-dir', folder, '--listen', '0.0.0.0:0'], REFUSED, /--allow-remote/);
  });

  test('with a state folder that is a file, is nowhere, or has no name', async (t) => {
    const folder = await tempFolder(t), file = join(folder, 'file');
    await writeFile(file, '');
    for (const [state, sentence] of [
      [file, /is not a folder; name another with --state-dir/],
      [join(file, 'below'), /can't be made: Not a directory|is not a folder/],
      ['/proc/storychain', /can't be made: .*; name another with --state-dir/],
      ['', /the name of the state folder is empty/],
      ['x'.repeat(5000), /too long/],
    ])
      for (const command of [['serve', '--listen', '127.0.0.1:0'], ['story', 'list']]) {
        const got = await storychain([...command, '--state-dir', state]);
        assert.ok(got.code === FAILED || got.code === USAGE, JSON.stringify(got));
        assert.match(got.stderr, sentence);
      }
  });

  test('with a state folder that another serve uses; the first goes on unharmed', async (t) => {
    const folder = await tempFolder(t), first = await serve(t, join(folder, 's'));

    await expectFailure(['serve', '--state-dir', join(folder, 's'), '--listen', '127.0.0.1:0'], FAILED, new RegExp(`in use by another process \\(pid ${first.where.pid}\\)`));

    await waitFor('it to be ready', async () => (await fetch(`${first.url}/readyz`)).status === 200);
    assert.equal(await first.stop(), 0);
  });

  test('without a redis-server to run: one sentence that says what to install', async (t) => {
    const folder = await tempFolder(t);
    const got = await expectFailure(['serve', '--state-dir', folder, '--listen', '127.0.0.1:0'], NOT_FOUND, /install the package redis-server.*or set REDIS_URL/, { env: { PATH: '/nonexistent' } });
    assert.equal(got, '');
  });

  test('with a config file that is wrong', async (t) => {
    const folder = await tempFolder(t), file = join(folder, 'storychain.conf');
    for (const [text, sentence] of [
      ['listen = "127.0.0.1:0"\nlissten = 1\n', /storychain\.conf, line 2: there is no option "lissten"/],
      ['drain 5\n', /line 1: expected a line like/],
      ['drain = soon\n', /line 1: "soon" is not a time/],
      [`x = ${'y'.repeat(5000)}\n`, /line 1: the line is no text, or longer/],
      ['\0\0\0\n', /line 1: the line is no text/],
    ]) {
      await writeFile(file, text);
      await expectFailure(['serve', '--config', file], USAGE, sentence);
    }
    await expectFailure(['serve', '--config', join(folder, 'gone')], USAGE, /config file .*gone: No such file/);
    await expectFailure(['serve', '--config', folder], USAGE, /config file .*: Is a directory/);
    await expectFailure(['serve', '--config', '/dev/zero'], USAGE, /line 1: the line is no text/);
  });

  test('with URLs of kinds that are not known', async (t) => {
    const args = ['serve', '--listen', '127.0.0.1:0', '--state-dir', await tempFolder(t)];
    await expectFailure([...args, '--redis-url', 'ftp://x'], USAGE, /the Redis URL is not valid: it begins with redis:\/\/, rediss:\/\/, unix:\/\/ or redis\+sentinel:\/\//);
    await expectFailure([...args, '--store-url', 'mysql://x'], USAGE, /"mysql:\/\/x" is of a kind that is not known/);
    await expectFailure([...args, '--smtp-url', 'http://x'], USAGE, /the mail server's URL must begin with smtp:\/\/ or smtps:\/\//);
    await expectFailure([...args, '--site-url', 'x'], USAGE, /the site's URL "x" must begin with https:\/\/ or http:\/\//);
    await expectFailure([...args, '--mail-from', 'me'], USAGE, /the sender of mails "me" has no '@'/);
  });

  test('when asked to end while it waits for a Redis', async (t) => {
    const child = spawn(PROGRAM, ['serve', '--listen', '127.0.0.1:0', '--state-dir', await tempFolder(t), '--redis-url', 'redis://127.0.0.1:1'], { stdio: ['ignore', 'ignore', 'pipe'] });
    await once(child.stderr, 'data');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});

describe('a Redis that can not be used', () => {
  test('is said with its URL, without its password', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    await redis.redis.config('SET', 'requirepass', 'right');
    const http = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.after(() => http.close());
    const commands = [['queue', 'list'], ['job', 'show', 'email', '1'], ['schedule', 'list'], ['cache', 'get', 'x'], ['worker', '--state-dir', await tempFolder(t)]];
    const wrong = redis.url.replace('unix://', 'unix://:wrong@');
    for (const command of commands) {
      await expectFailure([...command, '--redis-url', wrong], UNREACHABLE, /the server refused the login: (?!.*wrong@)/);
      await expectFailure([...command, '--redis-url', redis.url], UNREACHABLE, /the server wants a password/);
      await expectFailure([...command, '--redis-url', `redis://127.0.0.1:${http.address().port}`], UNREACHABLE, /127\.0\.0\.1:\d+: /);
      await expectFailure([...command, '--redis-url', 'redis://host:99999'], USAGE, /Redis URL is not valid/);
    }
    await expectFailure(['queue', 'list', '--redis-url', 'redis://127.0.0.1:1'], UNREACHABLE, /redis:\/\/127\.0\.0\.1:1: connection refused/);
  });

  test('nothing runs', async (t) => {
    const state = await tempFolder(t);
    for (const command of [['queue', 'list'], ['job', 'list', 'email'], ['schedule', 'list'], ['cache', 'get', 'x'], ['worker']])
      await expectFailure([...command, '--state-dir', state], UNREACHABLE, /no StoryChain runs with the state folder .*; start one with `storychain serve`, or name a Redis with --redis-url/);
    assert.deepEqual(await readdir(state), []);
  });
});

describe('beside a running serve', () => {
  let folder, site;
  const scope = { after: (f) => cleanups.push(f) }, cleanups = [];
  const at = (...args) => [...args, '--state-dir', join(folder, 's')];

  before(async () => {
    folder = await tempFolder(scope);
    site = await serve(scope, join(folder, 's'), ['--sample']);
  });
  after(async () => {
    assert.equal(await site.stop(), 0);
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  test('every command prints JSON with --json', async () => {
    assert.deepEqual((await expectJson(at('queue', 'list'))).map((q) => q.name), ['analytics', 'cleanup', 'email', 'export', 'notification', 'scheduled-jobs']);
    assert.equal((await expectJson(at('schedule', 'list'))).length, 6);
    assert.equal((await expectJson(at('story', 'list'))).length, 1);
    assert.deepEqual(await expectJson(at('job', 'list', 'email')), []);
    await expectJson(at('schedule', 'upsert', 'nightly', '0 3 * * *', '--queue', 'export'));
    const [job] = await expectJson(at('job', 'list', 'export', '--state', 'delayed', '--limit', '1'));
    assert.equal((await expectJson(at('job', 'show', 'export', job.id))).state, 'delayed');
    assert.deepEqual(await expectJson(at('queue', 'pause', 'cleanup')), { name: 'cleanup', paused: true });
    assert.deepEqual(await expectJson(at('queue', 'resume', 'cleanup')), { name: 'cleanup', paused: false });
    await waitFor('a list to be cached', async () => {
      assert.equal((await fetch(`${site.url}/api/stories?list=new`)).status, 200);
      return (await storychain(at('cache', 'get', 'sc:story:list:new'))).code === 0;
    });
    assert.equal((await expectJson(at('cache', 'get', 'sc:story:list:new'))).key, 'sc:story:list:new');
  });

  test('what is not there is not found, and said by name', async () => {
    await expectFailure(at('job', 'show', 'email', '999'), NOT_FOUND, /the queue email has no job 999/);
    for (const verb of ['retry', 'promote', 'remove']) await expectFailure(at('job', verb, 'email', '999'), NOT_FOUND, /the queue email has no job 999/);
    for (const args of [['job', 'list', 'emial'], ['queue', 'pause', 'emial'], ['queue', 'resume', 'emial'], ['job', 'show', 'emial', '1']])
      await expectFailure(at(...args), NOT_FOUND, /emial/);
    await expectFailure(at('cache', 'get', 'sc:nothing'), NOT_FOUND, /nothing is cached at "sc:nothing"/);
    await expectFailure(at('job', 'list', 'email', '--state', 'tired'), USAGE, /--state: "tired" is none of waiting, active/);
    await expectFailure(at('queue', 'pause', 'a:b'), NOT_FOUND, /a:b/);
  });

  test('the next run of a schedule is not taken away by hand', async () => {
    const [job] = await expectJson(at('job', 'list', 'export', '--state', 'delayed', '--limit', '1'));
    await expectFailure(at('job', 'remove', 'export', job.id), REFUSED, /is the next run of a schedule; remove the schedule instead/);
    await expectFailure(at('job', 'retry', 'export', job.id), REFUSED, /only failed and completed jobs can be retried/);
  });

  test('no line of a table ends with a blank', async () => {
    for (const args of [['queue', 'list'], ['story', 'list'], ['schedule', 'list'], ['job', 'list', 'export', '--state', 'delayed']]) {
      const { code, stdout } = await storychain(at(...args));
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, / $/m);
    }
  });

  test('output that can not be written is a failure, never a crash', async () => {
    for (const args of [['queue', 'list'], ['queue', 'list', '--json'], ['schedule', 'list'], ['cron', 'next', '* * * * *', '--count', '1000'], ['help'], ['help', 'man'], ['--version']]) {
      const full = await open('/dev/full', 'w');
      const got = await storychain(args[0] === 'queue' || args[0] === 'schedule' ? at(...args) : args, { stdout: full.fd });
      await full.close();
      assert.equal(got.signal, null);
      assert.equal(got.code, FAILED, args.join(' '));
      assert.match(got.stderr, /the output could not be written/, args.join(' '));
    }
  });

  test('a reader that leaves early ends it without a word', async () => {
    const child = spawn('/bin/sh', ['-c', '"$0" cron next "* * * * * *" --count 1000 | head -n 1', PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
    let err = '';
    child.stderr.on('data', (d) => (err += d));
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.equal(err, '');
  });

  test('links in mail begin with where serve really listens', async () => {
    const file = join(folder, 'followed.md');
    await writeFile(file, '---\ntitle: Followed\nauthor: Ada [user_ada]\nfollower: Bo <bo@example.org>\n---\n\n## One\n\nx\n');
    assert.equal((await storychain(at('story', 'import', file))).code, 0);

    const response = await fetch(`${site.url}/api/stories/followed/chapters`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Two', content: 'y', parent: 'one', author: 'user_ada' }),
    });

    assert.equal(response.status, 201);
    const mails = join(folder, 's/mail/new');
    const [name] = await waitFor('the mail', async () => ((names) => names.length && names)(await readdir(mails).catch(() => [])));
    assert.ok((await readFile(join(mails, name), 'utf8')).includes(`${site.url}/`));
  });
});

test('events of a queue are followed, as text and as JSON, from any place, until the user ends it', async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const { redis } = server;
  await redis.hset('bull:q:meta', 'version', 'bullmq:6.7.0');
  await redis.xadd('bull:q:events', '5-0', 'event', 'completed', 'jobId', '1', 'returnvalue', '{"a":[1]}', 'prev', 'active');
  await redis.xadd('bull:q:events', '6-0', 'event', 'mine', 'text', 'a \u001b[31m"b"');
  const run = async (args, lines) => {
    const child = spawn(PROGRAM, ['events', 'q', '--redis-url', server.url, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const exit = once(child, 'exit');
    let out = '';
    child.stdout.on('data', (d) => (out += d));
    await waitFor('its lines', () => out.split('\n').length > lines);
    child.kill('SIGINT');
    assert.deepEqual(await exit, [0, null]);
    return out.trimEnd().split('\n');
  };

  const json = (await run(['--json', '--from', '0'], 2)).map((line) => JSON.parse(line));
  assert.deepEqual(json[0], { id: '5-0', event: 'completed', fields: { jobId: '1', returnvalue: { a: [1] }, prev: 'active' } });
  assert.deepEqual(json[1].fields, { text: 'a \u001b[31m"b"' });
  assert.deepEqual(await run(['--from', '5-0'], 1), ['6-0 "mine" "text"="a \\u001b[31m\\"b\\""']);

  await expectFailure(['events', 'nothing', '--redis-url', server.url], NOT_FOUND, /nothing/);
  await expectFailure(['events', 'q', '--from', 'x', '--redis-url', server.url], USAGE, /"x" is no id of an event/);
});

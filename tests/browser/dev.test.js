// `rekindle dev`: the site that newcomers are given, plain files, and the front of another server.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { open, overlay, text, until } from './support/browser.js';
import { Site } from './support/site.js';
import { suite } from './support/suite.js';

const dev = (...options) => (directory, port) => ['dev', directory, '--port', port, ...options];

// Without what makes a directory more than files.
async function plain(site) {
    for (const directory of ['templates', 'static', 'config']) await rm(join(site.directory, directory), { recursive: true });
    await site.write('index.html', '<!doctype html><head><link rel="stylesheet" href="style.css"></head><h1 id="title">Plain</h1><input id="name">');
    await site.write('style.css', 'h1 { color: rgb(0, 0, 1) }');
}

// A server that knows nothing of rekindle: its page is the file `index.html`, and a socket of it says hello.
async function backend(site) {
    const server = createServer(async (request, response) => {
        const path = new URL(request.url, 'http://any').pathname;
        response.setHeader('Content-Type', path.endsWith('.css') ? 'text/css' : 'text/html');
        response.end(await site.read(path === '/' ? 'index.html' : path.slice(1)).catch(() => ''));
    });
    server.on('upgrade', (request, socket) => {
        const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
        const accept = createHash('sha1').update(key).digest('base64');
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
        socket.end(Buffer.from([0x81, 5, ...Buffer.from('hello')]));
        socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
}

const colour = () => getComputedStyle(document.querySelector('h1')).color;

// A style and a page come through, with what was typed kept.
async function assertLive(site, page) {
    await page.fill('#name', 'Grace');
    await site.edit('style.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
    await until(page, colour, 'rgb(9, 9, 9)');
    await site.edit('index.html', 'Plain', 'Still plain');
    await until(page, text, 'Still plain', '#title');
    assert.equal(await page.inputValue('#name'), 'Grace');
    assert.deepEqual([page.loads, page.errors], [1, []]);
}

suite('rekindle dev', (scenario) => {
    scenario('all that the example says to try does what it says', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('#note', 'Mine');
        await page.click('summary');
        await page.evaluate(() => scrollTo(0, 200));
        const root = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

        await site.edit('static/app.css', '--round: 1.25rem', '--round: 0');
        await until(page, root, '0', '--round');
        await site.edit('templates/index.html', 'Things to try', 'Things to do');
        await until(page, text, 'Things to do', 'h2');
        await site.edit('config/site.toml', 'hue = 45', 'hue = 200');
        await until(page, root, '200', '--hue');
        const picture = await page.getAttribute('.hero img', 'src');
        await site.edit('static/fire.svg', 'scale(1)', 'scale(1.2)');
        await page.waitForFunction((before) => document.querySelector('.hero img').getAttribute('src') !== before, picture);

        await site.edit('templates/partials/header.html', '{% endfor %}', '');
        await page.waitForSelector('rekindle-overlay .panel');
        assert.match(await page.evaluate(overlay), /templates\/partials\/header\.html:\d+:\d+/);
        await site.edit('templates/partials/header.html', '</nav>', '{% endfor %}</nav>');
        await until(page, overlay, null);
        await site.edit('config/site.toml', 'hue = 200', 'hue = 720');
        await page.waitForSelector('rekindle-overlay .panel');
        assert.match(await page.evaluate(overlay), /config\/site\.toml:\d+:\d+[^]*360/);
        assert.equal(await page.evaluate(root, '--hue'), '200');
        await site.edit('config/site.toml', 'hue = 720', 'hue = 10');
        await until(page, overlay, null);
        await until(page, root, '10', '--hue');

        const kept = await page.evaluate(() => [document.querySelector('#note').value, document.querySelector('details').open, scrollY]);
        assert.deepEqual(kept, ['Mine', true, 200]);
        assert.deepEqual([page.loads, page.errors], [1, []]);
    });

    scenario('a page that is not there yet comes when it is saved', async ({ site, visit }) => {
        const page = await visit('/about');
        await site.write('templates/about.html', '{% extends "layouts/base.html" %}{% block main %}<h1 id="about">About</h1>{% endblock %}');
        await until(page, text, 'About', '#about');
    });

    scenario('a directory of plain files is live', async ({ site, visit }) => {
        await assertLive(site, await visit());
    }, { prepare: plain });

    scenario('another server behind it is live, and its sockets come through', async ({ site, browser }) => {
        const server = await backend(site);
        const front = new Site(site.program, site.directory, dev('--proxy', `http://127.0.0.1:${server.address().port}`));
        try {
            const page = await open(browser, await front.start());
            const said = await page.evaluate(() => new Promise((done, fail) => {
                const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/any`);
                socket.onmessage = ({ data }) => done(data);
                socket.onerror = () => fail(new Error('no socket'));
            }));
            assert.equal(said, 'hello');
            await assertLive(site, page);
        } finally {
            await front.stop();
            server.close();
            server.closeAllConnections();
        }
    }, { prepare: plain });
}, { fixture: new URL('../../examples/site/', import.meta.url), command: dev() });

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { open } from './support/browser.js';
import { suite } from './support/suite.js';

// A page of another site, on this machine as far as the browser is concerned.
async function stranger(body) {
    const server = createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end('<!DOCTYPE html><title>Another site</title>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
        await body(`http://stranger.example:${server.address().port}/`);
    } finally {
        server.close();
        server.closeAllConnections();
    }
}

// What comes of opening a socket: the first message, or that there was none.
const listens = ([address, hello]) => new Promise((done) => {
    const socket = new WebSocket(address);
    socket.onopen = () => socket.send(JSON.stringify(hello));
    socket.onmessage = ({ data }) => done(data);
    socket.onclose = () => done('closed');
});

const reads = async ([address, method]) => {
    try {
        return await (await fetch(address, { method })).text();
    } catch (error) {
        return error.name;
    }
};

suite('strangers', (scenario) => {
    scenario('a page of another site hears nothing, in neither dialect', async ({ site, browser }) => {
        await stranger(async (url) => {
            const page = await open(browser, url);
            const socket = site.url.replace('http', 'ws');
            const own = { command: 'hello', protocols: ['urn:rekindle:live:1'] };
            const official = { command: 'hello', protocols: ['http://livereload.com/protocols/official-7'], ver: '1' };
            assert.equal(await page.evaluate(listens, [`${socket}/_rekindle/socket`, own]), 'closed');
            assert.equal(await page.evaluate(listens, [`${socket}/livereload`, official]), 'closed');
        });
    });

    scenario('a page of another site reads no token, no page and no dashboard', async ({ site, browser }) => {
        await stranger(async (url) => {
            const page = await open(browser, url);
            for (const [path, method] of [
                ['/_rekindle/renew', 'POST'], ['/_rekindle/events', 'GET'], ['/_rekindle/poll', 'GET'], ['/_rekindle/', 'GET'], ['/', 'GET'],
            ]) {
                assert.equal(await page.evaluate(reads, [site.url + path, method]), 'TypeError', path);
            }
        });
    });

    scenario('a name that somebody else has lead here gets nothing but word of what to set', async ({ site, browser }) => {
        const page = await open(browser, `${site.url.replace('127.0.0.1', 'rebound.example')}/_rekindle/`);
        const said = await page.textContent('body');
        assert.match(said, /rebound\.example/);
        assert.match(said, /allow_host/);
    });
}, { args: ['--host-resolver-rules=MAP *.example 127.0.0.1'] });

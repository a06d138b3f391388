// For pages that include `/livereload.js` themselves: loads the client. One of another server's pages cannot
// have a token, and is served as any LiveReload client: told what to load anew.

(() => {
    'use strict';

    const own = document.currentScript;
    if (!own || !own.src) return;
    const server = new URL(own.src);

    if (server.origin === location.origin) {
        const client = document.createElement('script');
        client.src = new URL('/_rekindle/live.js', server).href;
        client.nonce = own.nonce;
        document.head.append(client);
        return;
    }

    let tries = 0;

    function connect() {
        const address = new URL('/livereload', server);
        address.protocol = server.protocol.replace('http', 'ws');
        const socket = new WebSocket(address.href);
        const protocols = ['http://livereload.com/protocols/official-7'];
        socket.onopen = () => socket.send(JSON.stringify({ command: 'hello', protocols, ver: '1' }));
        socket.onmessage = (event) => hear(JSON.parse(event.data));
        socket.onclose = () => {
            tries += 1;
            setTimeout(connect, Math.min(10000, 200 * 2 ** Math.min(tries, 6)) * (0.5 + Math.random() / 2));
        };
    }

    function hear({ command, path }) {
        tries = 0;
        if (command !== 'reload') return;
        const links = /\.css$/i.test(path) ? stylesheets(path) : [];
        if (links.length) links.forEach(swap);
        else location.reload();
    }

    function stylesheets(path) {
        const name = path.split('/').pop();
        return [...document.querySelectorAll('link[rel~="stylesheet"][href]')]
            .filter((link) => new URL(link.href).pathname.split('/').pop() === name);
    }

    function swap(link) {
        const next = link.cloneNode();
        const address = new URL(link.href);
        address.searchParams.set('rekindle', Date.now().toString(36));
        next.href = address.href;
        next.onload = () => link.remove();
        next.onerror = () => next.remove();
        link.after(next);
    }

    connect();
})();

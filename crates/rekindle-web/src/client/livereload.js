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

    const successors = new WeakMap();
    const loading = new WeakSet();

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
        if (/\.css$/i.test(path)) stylesheets(path).forEach(swap);
        else location.reload();
    }

    // All of them when none has that name: it may be imported by any.
    function stylesheets(path) {
        const name = path.split('/').pop();
        const all = [...document.querySelectorAll('link[rel~="stylesheet"][href]')]
            .filter((link) => !loading.has(link));
        const named = all.filter((link) => new URL(link.href).pathname.split('/').pop() === name);
        return named.length ? named : all;
    }

    // The new one beside the old, which goes when that is there; a later one takes the place of one that is not.
    function swap(link) {
        const earlier = successors.get(link);
        if (earlier) earlier.remove();
        const next = link.cloneNode();
        const address = new URL(link.href);
        address.searchParams.set('rekindle', Date.now().toString(36));
        next.href = address.href;
        next.onload = () => {
            loading.delete(next);
            if (next.isConnected) link.remove();
        };
        next.onerror = () => next.remove();
        successors.set(link, next);
        loading.add(next);
        link.after(next);
    }

    connect();
})();

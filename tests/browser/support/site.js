// A copy of the site for each test, and the server that serves it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const FIXTURE = new URL('../site/', import.meta.url);

// The programs to test: `name=program`, one a framework, separated by `;`.
export const SERVERS = (process.env.REKINDLE_TEST_SERVERS ?? '')
    .split(';')
    .filter(Boolean)
    .map((entry) => {
        const [name, ...program] = entry.split('=');
        return { name, program: program.join('=') };
    });

export class Site {
    // `args(directory, port)` is what the program is started with; it has the port in its environment as well.
    constructor(program, directory, args = () => [directory]) {
        this.program = program;
        this.directory = directory;
        this.args = args;
    }

    static async copy(program, { fixture = FIXTURE, args } = {}) {
        const directory = await mkdtemp(join(tmpdir(), 'rekindle-browser-'));
        await cp(fixture, directory, { recursive: true });
        return new Site(program, directory, args);
    }

    // Starts the server; on the port it had before, when it ran already.
    async start(environment = {}) {
        const port = this.url ? new URL(this.url).port : '0';
        this.child = spawn(this.program, this.args(this.directory, port), {
            env: { ...process.env, PORT: port, ...environment },
            stdio: ['pipe', 'pipe', 'inherit'],
        });
        this.ended = once(this.child, 'exit');
        this.url = await address(this.child);
        return this.url;
    }

    async stop() {
        if (!this.child) return;
        this.child.kill('SIGKILL');
        await this.ended;
        this.child = null;
    }

    async remove() {
        await this.stop();
        await rm(this.directory, { recursive: true, force: true });
    }

    read(file) {
        return readFile(join(this.directory, file), 'utf8');
    }

    // As editors save: a file beside it, then a rename.
    async write(file, text) {
        const temporary = join(this.directory, `${file}~`);
        await writeFile(temporary, text);
        await rename(temporary, join(this.directory, file));
    }

    async create(file, text) {
        await mkdir(dirname(join(this.directory, file)), { recursive: true });
        await this.write(file, text);
    }

    async edit(file, before, after) {
        const text = await this.read(file);
        if (!text.includes(before)) throw new Error(`${file} has no ${before}`);
        await this.write(file, text.replace(before, () => after));
    }

    async delete(file) {
        await rm(join(this.directory, file));
    }
}

// The first address that a program says; what it says later is read and forgotten.
export function address(child) {
    const lines = createInterface({ input: child.stdout });
    const said = new Promise((done) => {
        lines.on('line', (line) => {
            const found = /http:\/\/[\d.]+:\d+/.exec(line);
            if (found) done(found[0]);
        });
    });
    const ended = once(child, 'exit').then(() => { throw new Error('the program ended before it said its address'); });
    return Promise.race([said, ended]);
}

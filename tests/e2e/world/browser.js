// A real browser, and people in it who notice what no page should do.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { addresses } from './addresses.js';

const screenshots = process.env.E2E_SCREENSHOTS;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.E2E_CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });
}

/** Somebody with a browser profile of their own; several pages are several tabs. */
export class Visitor {
  /** Console errors, uncaught exceptions, and what the content security policy stopped. */
  noticed = [];
  /** Whom the pages called. */
  addresses = [];

  static async arrive(browser, options = {}) {
    const visitor = new Visitor();
    visitor.context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB', ...options });
    visitor.context.setDefaultTimeout(15_000);
    visitor.context.on('request', (request) => visitor.addresses.push(request.url()));
    visitor.page = await visitor.tab();
    return visitor;
  }

  async tab() {
    const page = await this.context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') this.noticed.push(message.text());
    });
    page.on('pageerror', (error) => this.noticed.push(String(error)));
    return page;
  }

  goto(path) {
    return this.page.goto(addresses.app + path);
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Until the address is this path, whatever follows it. */
  arrives(path, page = this.page) {
    return page.waitForURL((url) => url.origin === addresses.app && url.pathname === path);
  }

  async signUp({ name, email, password }) {
    await this.goto('/sign-up');
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Email').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.button('Create account').click();
    await this.arrives('/dashboard');
  }

  async signIn({ email, password }, page = this.page) {
    if (!page.url().includes('/sign-in')) await page.goto(`${addresses.app}/sign-in`);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  async signOut(page = this.page) {
    await page.getByLabel('Your account').click();
    await page.locator('.account-panel').getByRole('button', { name: 'Sign out everywhere' }).click();
    await this.arrives('/sign-in', page);
  }

  /** The session as the browser keeps it. */
  async session() {
    const cookies = (await this.context.cookies(addresses.app)).filter(({ name }) => name.startsWith('sb-') && name.includes('-auth-token'));
    const text = cookies
      .filter(({ name }) => !name.includes('code-verifier'))
      .sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
      .map(({ value }) => value)
      .join('');
    return text ? JSON.parse(Buffer.from(text.replace(/^base64-/, ''), 'base64url').toString()) : undefined;
  }

  /** The person on the dashboard, which has loaded everything. */
  async sees(name) {
    await this.page.locator('.person-name', { hasText: name }).waitFor();
    await this.page.locator('section[aria-busy="true"]').waitFor({ state: 'detached' });
  }

  async picture(name, page = this.page) {
    await picture(page, name);
  }

  /** No page failed, and no token stood in an address. `expected` are the browser's own lines on refusals that the test asked for. */
  async leave(expected = /^$/) {
    await this.context.close();
    assert.deepEqual(this.noticed.filter((text) => !expected.test(text)), []);
    for (const address of this.addresses) assert.doesNotMatch(address, /eyJ|access_token|refresh_token=/, 'a token in an address');
  }
}

/** Kept as CI's output. */
export async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  // What stands at the top of the window belongs at the top of the picture.
  await page.evaluate(() => window.scrollTo(0, 0));
  // A dialog covers the window, and not what lies below it.
  const fullPage = (await page.locator('dialog[open]').count()) === 0;
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage, animations: 'disabled' });
}

/** The browser's own line on a response of that status. */
export const refusal = (...statuses) => new RegExp(`Failed to load resource: the server responded with a status of (${statuses.join('|')})`);

// A browser and its visitors, who record errors and requests.
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

/** A user with a separate browser profile; each page is a tab. */
export class Visitor {
  /** Console errors, uncaught exceptions and content security policy violations. */
  errors = [];
  /** The URLs that the pages requested. */
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
      // The identity provider may have reported a sign-out to the API before the app does.
      const isSignedOut = message.location().url === `${addresses.api}/api/auth/sign-out` && message.text().includes('status of 401');
      if (message.type() === 'error' && !isSignedOut) this.errors.push(message.text());
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    return page;
  }

  goto(path) {
    return this.page.goto(addresses.app + path);
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Waits until the URL has this path. */
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
    await page.getByLabel('Your account', { exact: true }).click();
    await page.locator('.account-panel').getByRole('button', { name: 'Sign out everywhere' }).click();
    await this.arrives('/sign-in', page);
  }

  /** Returns the session from the cookies. */
  async session() {
    const cookies = (await this.context.cookies(addresses.app)).filter(({ name }) => name.startsWith('sb-') && name.includes('-auth-token'));
    const text = cookies
      .filter(({ name }) => !name.includes('code-verifier'))
      .sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
      .map(({ value }) => value)
      .join('');
    return text ? JSON.parse(Buffer.from(text.replace(/^base64-/, ''), 'base64url').toString()) : undefined;
  }

  /** Waits until the dashboard shows this name and has loaded. */
  async sees(name) {
    await this.page.locator('.person-name', { hasText: name }).waitFor();
    await this.page.locator('section[aria-busy="true"]').waitFor({ state: 'detached' });
  }

  async picture(name, page = this.page) {
    await picture(page, name);
  }

  /** Closes the browser profile and asserts that there were no errors other than `expected` and no tokens in URLs. */
  async leave(expected = /^$/) {
    await this.context.close();
    assert.deepEqual(this.errors.filter((text) => !expected.test(text)), []);
    for (const address of this.addresses) assert.doesNotMatch(address, /eyJ|access_token|refresh_token=/, 'a URL contains a token');
  }
}

/** Takes a screenshot if E2E_SCREENSHOTS is set. */
export async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  // Sticky elements are drawn at the scroll position.
  await page.evaluate(() => window.scrollTo(0, 0));
  // A dialog covers only the viewport.
  const fullPage = (await page.locator('dialog[open]').count()) === 0;
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage, animations: 'disabled' });
}

/** Matches the console message of the browser for a response with this status. */
export const statusError = (...statuses) => new RegExp(`Failed to load resource: the server responded with a status of (${statuses.join('|')})`);

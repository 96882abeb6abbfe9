// Setup and teardown of each file of journeys.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';

import { Visitor, launch, picture } from './browser.js';

/** Starts the stack and a browser for this file. Takes screenshots of all open pages when a test fails. */
export function journeys(start) {
  const world = { visitors: [] };
  before(async () => {
    world.stack = await start();
    world.browser = await launch();
  });
  afterEach(async (test) => {
    for (const [at, visitor] of world.visitors.splice(0).entries()) {
      for (const page of visitor.context.pages()) {
        await picture(page, `failed-${test.name.replaceAll(/\W+/g, '-')}-${at}`).catch(() => undefined);
      }
      await visitor.context.close().catch(() => undefined);
    }
  });
  after(async () => {
    await world.browser?.close();
    await world.stack?.stop();
    // Only `bearward dev` prints tokens.
    for (const child of [world.stack?.next, world.stack?.serve]) assert.doesNotMatch(child?.output ?? '', /eyJ[\w-]{8,}\./, 'a log contains a token');
  });
  world.visitor = async (options) => {
    const visitor = await Visitor.arrive(world.browser, options);
    world.visitors.push(visitor);
    const leave = visitor.leave.bind(visitor);
    visitor.leave = async (expected) => {
      world.visitors.splice(world.visitors.indexOf(visitor), 1);
      await leave(expected);
    };
    return visitor;
  };
  return world;
}

let count = 0;
/** Returns a new user with a unique email address. */
export function newUser(name) {
  count += 1;
  const [first] = name.toLowerCase().split(' ');
  return { name, email: `${first}.${count}.${process.pid}@example.com`, password: `correct horse ${count} battery` };
}

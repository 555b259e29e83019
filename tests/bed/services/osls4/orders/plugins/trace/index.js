'use strict';

// Leaves a trace of every lifecycle event that runs hooks: one JSON object a line in the file that SLSART_TRACE names.
// Nothing but the environment steers it, so a test can steer the copy that an old commit holds:
//   SLSART_TRACE_FAIL=EVENT   throws at that event
//   SLSART_TRACE_PAUSE=EVENT  stays at that event for a minute (a test interrupts the framework there)

const fs = require('fs');

class Trace {
  constructor(serverless) {
    this.commands = serverless.processedInput.commands.join(' ');
    // These three aren't run through runHooks.
    this.hooks = {
      initialize: () => this.saw('initialize'),
      finalize: () => this.saw('finalize'),
      error: () => this.saw('error'),
    };
    // Wrapped rather than a list of hook names: a list would miss the events that it doesn't know.
    const manager = serverless.pluginManager;
    const runHooks = manager.runHooks;
    manager.runHooks = async (event, hooks) => {
      if (hooks.length) await this.saw(event);
      return runHooks.call(manager, event, hooks);
    };
  }

  async saw(event) {
    const { SLSART_TRACE, SLSART_TRACE_FAIL, SLSART_TRACE_PAUSE } = process.env;
    if (SLSART_TRACE) {
      const line = { time: new Date().toISOString(), pid: process.pid, dir: process.cwd(), command: this.commands, event };
      fs.appendFileSync(SLSART_TRACE, `${JSON.stringify(line)}\n`);
    }
    if (event === SLSART_TRACE_FAIL) throw new Error(`trace: asked to fail at ${event}`);
    if (event === SLSART_TRACE_PAUSE) await new Promise((resolve) => setTimeout(resolve, 60000));
  }
}

module.exports = Trace;

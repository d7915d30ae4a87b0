/** Runs a task once, when the event loop has handled what is there to be handled: the end of a turn. */
export type TurnEnd = (task: () => void) => void;

let waiting: (() => void)[] = [];

/** After the sockets of this turn were read, and before the next ones are waited for. One call for all tasks. */
export const systemTurnEnd: TurnEnd = (task) => {
  if (waiting.push(task) === 1) setImmediate(runAll);
};

function runAll(): void {
  const tasks = waiting;
  waiting = [];
  let done = 0;
  try {
    for (; done < tasks.length; done++) tasks[done]?.();
  } finally {
    // One that threw does not take the others along.
    for (done++; done < tasks.length; done++) systemTurnEnd(tasks[done] as () => void);
  }
}

/** Lets everything happen that is ready to: work of many pieces holds nobody up for longer than one of them takes. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

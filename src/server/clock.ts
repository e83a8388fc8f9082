/** The clock of the server: the services take the time from it and from nowhere else, so that a test can set it. */

/** Gives the present instant in epoch milliseconds. */
export type Clock = () => number

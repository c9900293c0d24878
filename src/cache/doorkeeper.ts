const REMEMBERED = 4_096

/**
 * Lets in what is met for the second time, so that what comes once drives out nothing that is kept and need not be kept
 * itself (Einziger, Friedman, Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM Transactions on Storage 2017;
 * with a set in the place of their Bloom filter).
 */
export class Doorkeeper {
  #met = new Set<string>()
  #metBefore = new Set<string>()

  /** `remembered`: how many keys are remembered for certain; at most twice as many are. */
  constructor(private readonly remembered = REMEMBERED) {}

  /** Whether the key was met lately. From now on it was. */
  admits(key: string): boolean {
    if (this.#met.has(key)) return true
    const isKnown = this.#metBefore.has(key)
    if (this.#met.size >= this.remembered) {
      this.#metBefore = this.#met
      this.#met = new Set()
    }
    this.#met.add(key)
    return isKnown
  }
}

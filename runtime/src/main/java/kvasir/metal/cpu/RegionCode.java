package kvasir.metal.cpu;

/** The translated form of a {@link Region}: one generated subclass each. */
abstract class RegionCode {
    /**
     * Runs from the region's entry until it leaves: at a branch to elsewhere, before an instruction that needs the
     * interpreter (its translation is not cached, its block would exceed the budget), or after one that changed code.
     * Then all state is the processor's again.
     *
     * @param page linear address of the region's page
     * @param budget instructions that may retire, at least 0
     */
    abstract void run(Cpu c, long page, long budget);
}

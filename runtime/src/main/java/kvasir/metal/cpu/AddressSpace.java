package kvasir.metal.cpu;

import java.util.List;

/** What the TLB holds of one address space: of one value of CR3, with its PCID. */
final class AddressSpace {
    static final long NO_STAMP = -1;

    final Tlb supervisor = new Tlb();
    final Tlb supervisorTouchingUser = new Tlb();
    final Tlb user = new Tlb();
    final LargePages large = new LargePages();
    final CodePages code = new CodePages();

    /** While another is in force: CR3. */
    long cr3;

    /** While another is in force: {@code Cpu.stamp} when it was left; {@link #NO_STAMP} if code must be looked up again. */
    long stamp;

    /** While another is in force: {@code Cpu.hostStamp} when this one was left. */
    long hostStamp;

    private final List<Tlb> sets = List.of(supervisor, supervisorTouchingUser, user);

    /** Of each privilege. */
    List<Tlb> sets() {
        return sets;
    }

    void flush() {
        supervisor.flush();
        supervisorTouchingUser.flush();
        user.flush();
        large.clear();
        code.clear();
    }

    void flushReads() {
        sets.forEach(Tlb::flushReads);
    }

    void flushWrites() {
        sets.forEach(Tlb::flushWrites);
    }

    void flushSupervisorWrites() {
        supervisor.flushWrites();
        supervisorTouchingUser.flushWrites();
    }

    /** Forgets the page of {@code linear}; whether code may have been fetched from it. */
    boolean flushPage(long linear) {
        int shift = large.shift(linear);
        for (Tlb set : sets) {
            if (shift == 0) {
                set.flushPage(linear);
            } else {
                set.flushAround(linear, shift);
            }
        }
        return shift != 0 || code.forget(linear);
    }
}

package kvasir.metal.cpu;

/** What translated code asks of the TLB; small, so that the JVM takes it into the loop. */
final class RegionMemory {
    private RegionMemory() {}

    /**
     * Native address behind {@code linear} if its translation is cached, else 0.
     *
     * @param last offset in the page of the last place where the access still lies within it
     */
    static long host(long[] tags, long[] deltas, long linear, int last) {
        int i = Tlb.index(linear);
        return tags[i] == (linear & -4096) && ((int) linear & 0xfff) <= last ? linear + deltas[i] : 0;
    }
}

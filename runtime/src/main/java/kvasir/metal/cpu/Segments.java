package kvasir.metal.cpu;

/** Segment limit and type checks, descriptors, and loads of segment registers (Intel SDM, volume 3, "Protection"). */
final class Segments {
    static final int PRESENT = 0x80;
    static final int SYSTEM = 0x10;
    private static final int BUSY = 2;
    private final Cpu c;

    Segments(Cpu c) {
        this.c = c;
    }

    /** A segment descriptor. */
    record Descriptor(long raw) {
        /** Access rights as {@link Segment#access} has them. */
        int access() {
            return (int) (raw >>> 40) & 0xf0ff;
        }

        int type() {
            return (int) (raw >>> 40) & 15;
        }

        /** Code or data, not a system segment. */
        boolean codeOrData() {
            return (raw & 1L << 44) != 0;
        }

        boolean code() {
            return codeOrData() && (type() & 8) != 0;
        }

        boolean conforming() {
            return (type() & 4) != 0;
        }

        boolean writableData() {
            return codeOrData() && (type() & 10) == 2;
        }

        boolean readable() {
            return codeOrData() && (type() & 10) != 8;
        }

        int dpl() {
            return (int) (raw >>> 45) & 3;
        }

        boolean present() {
            return (raw & 1L << 47) != 0;
        }

        boolean longMode() {
            return (raw & 1L << 53) != 0;
        }

        boolean big() {
            return (raw & 1L << 54) != 0;
        }

        long base() {
            return (raw >>> 16 & 0xff_ffff) | (raw >>> 32 & 0xff00_0000L);
        }

        int limit() {
            int limit = (int) (raw & 0xffff) | (int) (raw >>> 32) & 0xf_0000;
            return (raw & 1L << 55) != 0 ? limit << 12 | 0xfff : limit;
        }
    }

    /** Checks an access of {@code bytes} bytes at {@code offset} of a segment that has a limit. */
    void check(int segment, long offset, int bytes, boolean write) {
        int access = c.sys.access[segment];
        boolean legal;
        if (c.protectedMode()) {
            boolean code = (access & 8) != 0;
            legal = (access & Segment.UNUSABLE) == 0
                    && (access & PRESENT) != 0
                    && (write ? !code && (access & 2) != 0 : !code || (access & 2) != 0);
        } else {
            legal = true;
        }
        long last = offset + Math.max(1, bytes) - 1;
        long limit = c.sys.limit[segment] & 0xffff_ffffL;
        boolean expandDown = (access & 0xc) == 4;
        if (expandDown) {
            long top = (access & 0x4000) != 0 ? 0xffff_ffffL : 0xffff;
            legal &= offset > limit && last <= top;
        } else {
            legal &= last <= limit;
        }
        if (!legal) {
            throw c.exception(segment == Segment.SS ? Vector.SS : Vector.GP, 0);
        }
    }

    /** The descriptor of {@code selector}; beyond the table it is {@code vector} with the selector. */
    Descriptor descriptor(int selector, int vector, int external) {
        return new Descriptor(systemLoad64(descriptorAddress(selector, 8, vector, external)));
    }

    /** Linear address of a descriptor of {@code bytes} bytes. */
    long descriptorAddress(int selector, int bytes, int vector, int external) {
        long base = c.sys.gdtBase;
        long limit = c.sys.gdtLimit;
        if ((selector & 4) != 0) {
            base = c.sys.base[Segment.LDTR];
            limit = (c.sys.access[Segment.LDTR] & Segment.UNUSABLE) != 0
                    ? -1
                    : c.sys.limit[Segment.LDTR] & 0xffff_ffffL;
        }
        int at = selector & 0xfff8;
        if (at + bytes - 1 > limit) {
            throw c.exception(vector, selector & 0xfffc | external);
        }
        return c.longMode() ? base + at : base + at & 0xffff_ffffL;
    }

    long systemLoad64(long linear) {
        c.mem.asSystem();
        try {
            return c.mem.load64(linear);
        } finally {
            c.updatePrivilege();
        }
    }

    long systemLoad(long linear, int bytes) {
        c.mem.asSystem();
        try {
            return c.mem.load(linear, bytes);
        } finally {
            c.updatePrivilege();
        }
    }

    void systemStore(long linear, int bytes, long value) {
        c.mem.asSystem();
        try {
            c.mem.store(linear, bytes, value);
        } finally {
            c.updatePrivilege();
        }
    }

    /** Sets or clears bits of a byte of a descriptor table, as a locked access; gives what the byte was. */
    long systemChange(long linear, int bits, boolean set) {
        c.mem.asSystem();
        try {
            return c.mem.changeBits(linear, bits, set);
        } finally {
            c.updatePrivilege();
        }
    }

    /** Sets the accessed bit of a descriptor in memory, and gives the descriptor with it. */
    Descriptor touch(int selector, Descriptor d) {
        if ((d.raw() & 1L << 40) != 0) {
            return d;
        }
        long address = descriptorAddress(selector, 8, Vector.GP, 0);
        systemChange(address + 5, 1, true);
        return new Descriptor(d.raw() | 1L << 40);
    }

    /** Fills a segment register. */
    void set(int segment, int selector, Descriptor d) {
        c.sys.selector[segment] = selector;
        c.sys.base[segment] = d.base();
        c.sys.limit[segment] = d.limit();
        c.sys.access[segment] = d.access();
    }

    /** Fills a segment register as real and virtual-8086 mode do. */
    void setReal(int segment, int selector) {
        c.sys.selector[segment] = selector;
        c.sys.base[segment] = (long) selector << 4;
        if (c.virtual8086()) {
            c.sys.limit[segment] = 0xffff;
            c.sys.access[segment] = 0xf3;
        }
    }

    /** Fills a data segment register with a null selector; AMD processors keep the base in long mode. */
    void setNull(int segment, int selector) {
        c.sys.selector[segment] = selector;
        c.sys.access[segment] = Segment.UNUSABLE | c.cpl << 5;
        if (!(c.longMode() && c.model.amd())) {
            c.sys.base[segment] = 0;
        }
    }

    /** Loads ES, SS, DS, FS or GS with its checks. */
    void load(int segment, int selector) {
        if (!c.protectedMode()) {
            setReal(segment, selector);
        } else if (segment == Segment.SS) {
            loadStack(selector, c.cpl, Vector.GP);
        } else if ((selector & 0xfffc) == 0) {
            setNull(segment, selector);
        } else {
            Descriptor d = descriptor(selector, Vector.GP, 0);
            boolean privileged = d.code() && d.conforming() || d.dpl() >= Math.max(c.cpl, selector & 3);
            if (!d.readable() || !privileged) {
                throw c.exception(Vector.GP, selector & 0xfffc);
            }
            if (!d.present()) {
                throw c.exception(Vector.NP, selector & 0xfffc);
            }
            set(segment, selector, touch(selector, d));
        }
        c.updateMode();
    }

    /** Loads SS for privilege level {@code level}; what is wrong with the selector is {@code vector}. */
    void loadStack(int selector, int level, int vector) {
        if ((selector & 0xfffc) == 0) {
            if (c.codeSize != kvasir.metal.cpu.isa.CodeSize.BITS64 || level == 3 || (selector & 3) != level) {
                throw c.exception(vector, 0);
            }
            setNull(Segment.SS, selector);
            c.sys.access[Segment.SS] = Segment.UNUSABLE | level << 5;
            return;
        }
        Descriptor d = descriptor(selector, vector, 0);
        if ((selector & 3) != level || d.dpl() != level || !d.writableData()) {
            throw c.exception(vector, selector & 0xfffc);
        }
        if (!d.present()) {
            throw c.exception(Vector.SS, selector & 0xfffc);
        }
        set(Segment.SS, selector, touch(selector, d));
    }

    /** Makes a data segment null if the privilege level that was returned to may not hold it. */
    void dropInaccessible() {
        for (int segment : new int[] {Segment.ES, Segment.DS, Segment.FS, Segment.GS}) {
            int access = c.sys.access[segment];
            boolean conforming = (access & 0x1c) == 0x1c;
            if ((access & Segment.UNUSABLE) == 0 && !conforming && (access >> 5 & 3) < c.cpl) {
                // the hidden base stays, on processors of both vendors
                c.sys.selector[segment] = 0;
                c.sys.access[segment] = Segment.UNUSABLE | c.cpl << 5;
            }
        }
    }

    /** LLDT. */
    void loadLdt(int selector) {
        if ((selector & 0xfffc) == 0) {
            c.sys.selector[Segment.LDTR] = selector;
            c.sys.access[Segment.LDTR] = Segment.UNUSABLE;
            return;
        }
        systemSegment(Segment.LDTR, selector, 2, 2);
    }

    /** LTR. */
    void loadTask(int selector) {
        if ((selector & 0xfffc) == 0) {
            throw c.exception(Vector.GP, 0);
        }
        systemSegment(Segment.TR, selector, c.longMode() ? 9 : 1, 9);
        c.sys.access[Segment.TR] |= BUSY;
    }

    private void systemSegment(int segment, int selector, int type, int otherType) {
        int bytes = c.longMode() ? 16 : 8;
        if ((selector & 4) != 0) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        long address = descriptorAddress(selector, bytes, Vector.GP, 0);
        Descriptor d = new Descriptor(systemLoad64(address));
        if (d.codeOrData() || (d.type() != type && d.type() != otherType)) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
        long high = bytes == 16 ? systemLoad64(address + 8) << 32 : 0;
        if (!c.canonicalForLoad(high | d.base())) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (segment == Segment.TR && (systemChange(address + 5, BUSY, true) & BUSY) != 0) {
            // another processor has loaded it since
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        set(segment, selector, d);
        c.sys.base[segment] = high | d.base();
    }
}

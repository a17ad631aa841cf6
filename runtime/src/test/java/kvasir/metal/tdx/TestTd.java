package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.List;

/** A TD that a test builds leaf by leaf. */
final class TestTd {
    static final long TD_PARAMS = 0x20_0000;
    static final long SOURCE = 0x30_0000;
    static final long XFAM = 0xe7;

    final TdxPlatform platform;
    final long tdr;
    final int hkid;
    final List<Long> children = new ArrayList<>();
    final List<Long> vcpus = new ArrayList<>();

    /** MNG.CREATE done. */
    TestTd(TdxPlatform platform) {
        this.platform = platform;
        tdr = platform.page();
        hkid = platform.hkid();
        TdxPlatform.ok(platform.call(9, tdr, hkid));
    }

    /** Up to the last MNG.ADDCX; TD_PARAMS filled with good values. */
    static TestTd withTdcs(TdxPlatform platform) {
        var td = new TestTd(platform);
        td.keys();
        for (int i = 0; i < 6; i++) {
            TdxPlatform.ok(platform.call(1, td.child(), td.tdr));
        }
        td.goodParams();
        return td;
    }

    /** MNG.INIT done with these attributes. */
    static TestTd initialised(TdxPlatform platform, long attributes) {
        var td = withTdcs(platform);
        platform.memory.write64(TD_PARAMS, attributes);
        TdxPlatform.ok(platform.call(21, td.tdr, TD_PARAMS));
        return td;
    }

    static TestTd initialised(TdxPlatform platform) {
        return initialised(platform, 0);
    }

    /** One vCPU, an S-EPT down to the 4K tables of the first 2M, MR.FINALIZE done. */
    static TestTd runnable(TdxPlatform platform, long attributes) {
        var td = initialised(platform, attributes);
        td.vcpu();
        td.tables(0);
        TdxPlatform.ok(platform.call(17, td.tdr));
        return td;
    }

    static TestTd runnable(TdxPlatform platform) {
        return runnable(platform, 0);
    }

    void keys() {
        TdxPlatform.ok(platform.module.seamcall(0, SeamcallRegs.of(8, tdr, 0)));
        TdxPlatform.ok(platform.module.seamcall(1, SeamcallRegs.of(8, tdr, 0)));
    }

    void goodParams() {
        var memory = platform.memory;
        for (int i = 0; i < 1024; i += 8) {
            memory.write64(TD_PARAMS + i, 0);
        }
        memory.write64(TD_PARAMS + 8, XFAM);
        memory.write16(TD_PARAMS + 16, (short) 4);
        memory.write64(TD_PARAMS + 24, 3 << 3 | 6);
        memory.write64(TD_PARAMS + 32, 4);
        memory.write16(TD_PARAMS + 40, (short) 40);
    }

    long child() {
        long page = platform.page();
        children.add(page);
        return page;
    }

    /** VP.CREATE, five VP.ADDCX, VP.INIT on LP 0; the TDVPR. */
    long vcpu() {
        long tdvpr = vcpuWithoutInit();
        TdxPlatform.ok(platform.call(22, tdvpr, 0x809000));
        return tdvpr;
    }

    long vcpuWithoutInit() {
        long tdvpr = child();
        TdxPlatform.ok(platform.call(10, tdvpr, tdr));
        for (int i = 0; i < 5; i++) {
            TdxPlatform.ok(platform.call(4, child(), tdvpr));
        }
        vcpus.add(tdvpr);
        return tdvpr;
    }

    /** Adds whatever tables a 4K page at {@code gpa} needs. */
    void tables(long gpa) {
        for (int level = 3; level >= 1; level--) {
            long start = gpa & -(4096L << 9 * level);
            long page = platform.page();
            var out = platform.call(3, start | level, tdr, page, 0);
            if (out.rax() == 0) {
                children.add(page);
            } else {
                TdxPlatform.expect(Status.EPT_ENTRY_STATE_INCORRECT.on(Operand.RCX), out);
            }
        }
    }

    /** MEM.PAGE.ADD of {@code content} with the tables it needs; the page. */
    long add(long gpa, byte[] content) {
        tables(gpa);
        platform.memory.write(SOURCE, content, 0, content.length);
        long page = child();
        TdxPlatform.ok(platform.call(2, gpa, tdr, page, SOURCE));
        return page;
    }

    /** The 16 MR.EXTENDs of a page. */
    void extend(long gpa) {
        for (long at = gpa; at < gpa + 4096; at += 256) {
            TdxPlatform.ok(platform.call(16, at, tdr));
        }
    }

    long augment(long gpa) {
        long page = child();
        TdxPlatform.ok(platform.call(6, gpa, tdr, page, 0));
        return page;
    }

    SeamcallRegs enter(long tdvpr) {
        return platform.call(0, tdvpr);
    }

    Tdcs tdcs() {
        return new Tdr(platform.memory, tdr).tdcs();
    }

    long raw(long gpa) {
        return SeptWalk.to(platform.memory, tdcs(), gpa, 0).raw();
    }

    long[] septRd(long gpa, int level) {
        var out = platform.call(25, gpa | level, tdr);
        TdxPlatform.ok(out);
        return new long[] {out.rcx(), out.rdx()};
    }

    /** VP.FLUSH of every vCPU. */
    void vcpuFlush() {
        vcpus.forEach(vcpu -> TdxPlatform.ok(platform.call(18, vcpu)));
    }
}

package kvasir.metal.snp.psp;

import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.Rule;

/** Commands about the platform as a whole: INIT, SHUTDOWN, STATUS, DF_FLUSH, CONFIG, COMMIT, FEATURE_INFO. */
final class PlatformCommands {
    private static final int INIT_EX_KNOWN = 0x7;
    private static final int MAX_RANGES = 255;

    private final Platform platform;
    private final PhysicalMemory memory;

    PlatformCommands(Platform platform) {
        this.platform = platform;
        this.memory = platform.memory;
    }

    FirmwareStatus init() {
        return init(true, 0);
    }

    FirmwareStatus initEx(long buffer) {
        int bits = memory.read32(buffer);
        if ((bits & ~0x1f) != 0 || memory.read32(buffer + 4) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if ((bits & ~INIT_EX_KNOWN) != 0) {
            return FirmwareStatus.UNSUPPORTED;
        }
        FirmwareStatus status = init((bits & 1) != 0, (bits & 2) != 0 ? memory.read64(buffer + 8) : 0);
        if (status == FirmwareStatus.SUCCESS) {
            platform.raplDisabled((bits & 4) != 0);
        }
        return status;
    }

    private FirmwareStatus init(boolean initRmp, long ranges) {
        if (platform.initialised()) {
            return FirmwareStatus.INVALID_PLATFORM_STATE;
        }
        if (!platform.config.snpEnabled()) {
            return FirmwareStatus.INVALID_CONFIG;
        }
        if (!initRmp && !platform.rmpInitialised()) {
            return FirmwareStatus.RMP_INIT_REQUIRED;
        }
        if (ranges != 0 && !rangesValid(ranges)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        if (initRmp) {
            buildRmp(ranges);
        }
        platform.initialised(true);
        return FirmwareStatus.SUCCESS;
    }

    private boolean rangesValid(long ranges) {
        if ((ranges & 0xfff) != 0 || Integer.compareUnsigned(memory.read32(ranges), MAX_RANGES) > 0) {
            return false;
        }
        for (int i = 0; i < memory.read32(ranges); i++) {
            long base = memory.read64(ranges + 8 + 16L * i);
            if ((base & 0xfff) != 0 || !platform.addressable(base)) {
                return false;
            }
        }
        return true;
    }

    /** RMP table and firmware memory become Firmware, listed ranges HV-Fixed, all else Hypervisor. */
    private void buildRmp(long ranges) {
        Rmp rmp = platform.rmp;
        for (Rmp.Run run : rmp.runs()) {
            for (long spa = run.start();
                    spa < run.end();
                    spa += run.first().size().bytes()) {
                rmp.write(spa, RmpEntry.HYPERVISOR, "SNP_INIT");
            }
        }
        if (!rmp.registers().segmented()) {
            markFirmware(rmp.registers().base(), rmp.registers().end() + 1);
        }
        markFirmware(platform.firmwareBase, platform.firmwareBase + Platform.FIRMWARE_BYTES);
        if (ranges != 0) {
            RmpEntry fixed = RmpEntry.HYPERVISOR.withImmutable(true);
            for (int i = 0; i < memory.read32(ranges); i++) {
                long base = memory.read64(ranges + 8 + 16L * i);
                int pages = memory.read32(ranges + 16 + 16L * i);
                for (int page = 0; page < pages && rmp.covered(base + 4096L * page); page++) {
                    rmp.write(base + 4096L * page, fixed, "SNP_INIT");
                }
            }
        }
        platform.rmpInitialised(true);
    }

    /** SNP_PAGE_SET_STATE: u32 length (16), u32 0, u64 range list. Firmware pages of 2M-aligned ranges become HV-Fixed. */
    FirmwareStatus setState(long buffer) {
        long list = memory.read64(buffer + 8);
        if (memory.read32(buffer) != 16) {
            return FirmwareStatus.INVALID_LENGTH;
        }
        if (memory.read32(buffer + 4) != 0 || (list & 0xfff) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (!platform.addressable(list) || !rangesValid(list)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        for (int i = 0; i < memory.read32(list); i++) {
            long base = memory.read64(list + 8 + 16L * i);
            long end = base + 4096L * Integer.toUnsignedLong(memory.read32(list + 16 + 16L * i));
            if (!PageSize.SIZE_2M.aligned(base) || !platform.rmp.covered(end - 4096)) {
                return FirmwareStatus.INVALID_ADDRESS;
            }
            for (long page = base; page < end; page += 4096) {
                boolean whole = platform.rmp.entry(page).size() == PageSize.SIZE_4K
                        || end >= (page & -PageSize.SIZE_2M.bytes()) + PageSize.SIZE_2M.bytes();
                if (!whole || !platform.writable(page) || platform.context(page).isPresent()) {
                    return FirmwareStatus.INVALID_PAGE_STATE;
                }
            }
        }
        for (int i = 0; i < memory.read32(list); i++) {
            long base = memory.read64(list + 8 + 16L * i);
            int pages = memory.read32(list + 16 + 16L * i);
            for (int page = 0; page < pages; page++) {
                platform.rmp.write(base + 4096L * page, RmpEntry.HYPERVISOR.withImmutable(true), "SNP_PAGE_SET_STATE");
            }
        }
        return FirmwareStatus.SUCCESS;
    }

    private void markFirmware(long start, long end) {
        RmpEntry entry = Platform.firmwareEntry();
        long spa = start;
        while (spa < end && platform.rmp.covered(spa)) {
            PageSize size = PageSize.SIZE_2M.aligned(spa) && end - spa >= PageSize.SIZE_2M.bytes()
                    ? PageSize.SIZE_2M
                    : PageSize.SIZE_4K;
            platform.rmp.write(spa, entry.withSize(size), "SNP_INIT");
            spa += size.bytes();
        }
    }

    FirmwareStatus shutdownEx(long buffer) {
        int bits = memory.read32(buffer + 4);
        if (memory.read32(buffer) != 8) {
            return platform.badLength();
        }
        boolean x86Alone = (bits & 3) == 2 && platform.asPublished();
        return (bits & ~3) != 0 || x86Alone ? FirmwareStatus.INVALID_PARAM : shutdown(bits);
    }

    /** All guests end; the ASIDs must have been flushed. */
    FirmwareStatus shutdown(int bits) {
        if (platform.anyWaitsForFlush()) {
            return platform.allCoresWroteBack() ? FirmwareStatus.DFFLUSH_REQUIRED : FirmwareStatus.WBINVD_REQUIRED;
        }
        for (int asid = 1; asid <= platform.config.asids(); asid++) {
            platform.bind(asid, 0);
        }
        if ((bits & 1) != 0 && platform.rules.holds(Rule.SHUTDOWN_RELEASES_PAGES)) {
            releaseFirmwarePages();
        }
        if ((bits & 2) != 0 && platform.rules.holds(Rule.SHUTDOWN_FORGETS_RMP)) {
            platform.rmpInitialised(false);
        }
        platform.initialised(false);
        platform.raplDisabled(false);
        return FirmwareStatus.SUCCESS;
    }

    /** With iommu_snp_shutdown the firmware's pages outside its own memory become Reclaim. */
    private void releaseFirmwarePages() {
        for (Rmp.Run run : platform.rmp.runs()) {
            RmpEntry entry = run.first();
            if (entry.assigned() && entry.asid() == 0 && entry.immutable()) {
                for (long spa = run.start();
                        spa < run.end();
                        spa += entry.size().bytes()) {
                    if (platform.addressable(spa)) {
                        platform.rmp.write(
                                spa,
                                platform.rmp.entry(spa).withImmutable(false).withVmsa(false),
                                "SNP_SHUTDOWN_EX");
                    }
                }
            }
        }
    }

    /** SNP_PLATFORM_STATUS: 32 bytes. */
    FirmwareStatus status(long buffer) {
        long output = memory.read64(buffer);
        if (!platform.addressable(output)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        if (!platform.writable(output)) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        int guests = 0;
        for (int asid = 1; asid <= platform.config.asids(); asid++) {
            guests += platform.owner(asid) != 0 ? 1 : 0;
        }
        int vlek = platform.vlek().isPresent() ? 1 << 2 : 0;
        memory.write8(output, (byte) (platform.currentVersion() >>> 16));
        memory.write8(output + 1, (byte) (platform.currentVersion() >>> 8));
        memory.write8(output + 2, (byte) (platform.initialised() ? 1 : 0));
        memory.write8(output + 3, (byte) (platform.rmpInitialised() ? 1 : 0));
        memory.write32(output + 4, platform.currentVersion() & 0xff);
        memory.write32(output + 8, platform.configuration() | vlek | 1 << 3 | (platform.raplDisabled() ? 1 << 4 : 0));
        memory.write32(output + 12, guests);
        memory.write64(output + 16, platform.currentTcb());
        memory.write64(output + 24, platform.reportedTcb());
        return FirmwareStatus.SUCCESS;
    }

    FirmwareStatus dfFlush() {
        if (platform.anyWaitsForFlush() && !platform.allCoresWroteBack()) {
            return FirmwareStatus.WBINVD_REQUIRED;
        }
        platform.flushAsids();
        return FirmwareStatus.SUCCESS;
    }

    /** SNP_CONFIG: u64 reported TCB (0 means the installed one), u32 bits {0 mask chip id, 1 mask chip key}. */
    FirmwareStatus config(long buffer) {
        long reported = memory.read64(buffer);
        int bits = memory.read32(buffer + 8);
        if ((bits & ~3) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (!Tcb.of(reported).atMost(Tcb.of(platform.committedTcb()))) {
            return FirmwareStatus.INVALID_PARAM;
        }
        platform.reportedTcb(reported == 0 ? platform.currentTcb() : reported);
        platform.configuration(bits);
        return FirmwareStatus.SUCCESS;
    }

    FirmwareStatus commit(long buffer) {
        if (memory.read32(buffer) != 4) {
            return platform.badLength();
        }
        platform.commit();
        return FirmwareStatus.SUCCESS;
    }

    /** SNP_FEATURE_INFO: CPUID 8000_0024 in four words; only leaf 0 is known. */
    FirmwareStatus featureInfo(long buffer) {
        long output = memory.read64(buffer + 8);
        if (memory.read32(buffer) != 16) {
            return platform.badLength();
        }
        if (!platform.addressable(output)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        if (!platform.writable(output)) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (memory.read32(buffer + 4) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        memory.write32(output, 0);
        memory.write32(output + 4, 0);
        memory.write32(output + 8, 1 | 1 << 1 | 1 << 2); // VLEK, x86 shutdown, RAPL disable
        memory.write32(output + 12, 0);
        return FirmwareStatus.SUCCESS;
    }
}

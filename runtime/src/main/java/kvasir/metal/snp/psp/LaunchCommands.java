package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Vmsa;
import kvasir.registry.Bytes;

/** Commands that take a guest from its context page to running, and end it. Checks are in the order they are made. */
final class LaunchCommands {
    private static final byte[] OFFLINE_KEY_LABEL = "OEK".getBytes(StandardCharsets.US_ASCII);
    private static final int ACTIVATE_EX_BYTES = 32;
    private static final Bytes UNMEASURED = Bytes.of(new byte[LaunchDigest.BYTES]);

    private final Platform platform;
    private final PhysicalMemory memory;
    private final Rmp rmp;

    LaunchCommands(Platform platform) {
        this.platform = platform;
        this.memory = platform.memory;
        this.rmp = platform.rmp;
    }

    FirmwareStatus gctxCreate(long buffer) {
        long page = memory.read64(buffer);
        if (!platform.addressable(page)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        RmpEntry entry = rmp.entry(page);
        if (entry.pageState() != PageState.FIRMWARE || platform.context(page).isPresent()) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (entry.size() != PageSize.SIZE_4K) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        new GuestContext(memory, page).create();
        if (platform.rules.holds(Rule.CONTEXT_PAGE_HAS_VMSA)) {
            rmp.write(page, entry.withVmsa(true), "SNP_GCTX_CREATE");
        }
        return FirmwareStatus.SUCCESS;
    }

    FirmwareStatus start(long buffer) {
        long at = memory.read64(buffer);
        if (!platform.addressable(at)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        GuestContext context = found.get();
        if (context.state() != GuestContext.State.INIT) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        int bits = memory.read32(buffer + 24);
        if ((bits & ~3) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        var policy = new GuestPolicy(memory.read64(buffer + 8));
        FirmwareStatus refused = refusal(policy);
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        boolean migrationAgent = (bits & 1) != 0;
        if (migrationAgent && !policy.migrationAgentAllowed()) {
            return FirmwareStatus.POLICY_FAILURE;
        }
        Bytes agent = Bytes.fromHex("ff".repeat(32));
        if (migrationAgent) {
            Optional<GuestContext> agentContext = platform.context(memory.read64(buffer + 16));
            if (agentContext.isEmpty()) {
                return FirmwareStatus.INVALID_GUEST;
            }
            agent = agentContext.get().reportId();
            context.set(GuestContext.Flag.MIGRATION_AGENT);
        }
        context.policy(policy.bits());
        for (int vmpl = 0; vmpl < 4; vmpl++) {
            context.vmpck(vmpl, platform.random("VMPCK"));
        }
        context.vmrk(platform.random("VMRK"));
        context.reportId(platform.random("REPORT_ID"));
        context.offlineKey(Bytes.of(
                Digests.hmac256(platform.config.seed().toArray(), context.vmrk().toArray(), OFFLINE_KEY_LABEL)));
        context.reportIdMa(agent);
        context.launchTcb(platform.currentTcb());
        var gosvw = new byte[16];
        memory.read(buffer + 32, gosvw, 0, gosvw.length);
        context.gosvw(Bytes.of(gosvw));
        if ((bits & 2) != 0) {
            context.set(GuestContext.Flag.IMI);
        }
        context.digest(UNMEASURED);
        context.records(0);
        platform.records(context);
        context.state(GuestContext.State.LAUNCH);
        return FirmwareStatus.SUCCESS;
    }

    private FirmwareStatus refusal(GuestPolicy policy) {
        if (!policy.wellFormed()) {
            return platform.rules.holds(Rule.RESERVED_POLICY_IS_PARAM)
                    ? FirmwareStatus.INVALID_PARAM
                    : FirmwareStatus.POLICY_FAILURE;
        }
        PlatformConfig config = platform.config;
        boolean tooNew = FirmwareImage.version(policy.abiMajor(), policy.abiMinor(), 0) > platform.currentVersion();
        boolean unmet = config.smt() && !policy.smtAllowed()
                || policy.singleSocket() && config.sockets() > 1
                || policy.aes256XtsRequired()
                || policy.raplDisabledRequired() && !platform.raplDisabled()
                || policy.ciphertextHidingRequired();
        return tooNew || unmet ? FirmwareStatus.POLICY_FAILURE : FirmwareStatus.SUCCESS;
    }

    FirmwareStatus activate(long buffer) {
        long at = memory.read64(buffer);
        int asid = memory.read32(buffer + 8);
        if (!platform.addressable(at)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        if (found.get().state() == GuestContext.State.INIT) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (found.get().asid() != 0 && asid >= 1 && asid <= platform.highestAsid()) {
            return FirmwareStatus.ACTIVE;
        }
        return bind(found.get(), asid, platform.allCores());
    }

    /**
     * SNP_ACTIVATE_EX: u32 length (32), u32 0, u64 context, u32 ASID, u32 count of APIC ids, u64 their list. The guest is
     * activated on those cores; more can follow under the same ASID. APIC ids are core numbers here.
     */
    FirmwareStatus activateEx(long buffer) {
        long at = memory.read64(buffer + 8);
        int asid = memory.read32(buffer + 16);
        int count = memory.read32(buffer + 20);
        long list = memory.read64(buffer + 24);
        if (memory.read32(buffer) != ACTIVATE_EX_BYTES || memory.read32(buffer + 4) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (!platform.addressable(at) || !platform.addressable(list & -4096L)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        GuestContext context = found.get();
        if (context.state() == GuestContext.State.INIT) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (context.asid() == 0 && rmp.runs().stream().anyMatch(r -> r.first().asid() == asid && asid != 0)) {
            return FirmwareStatus.INVALID_CONFIG;
        }
        if (asid < 1 || asid > platform.highestAsid()) {
            return FirmwareStatus.INVALID_ASID;
        }
        if (count < 1 || count > platform.config.cores()) {
            return FirmwareStatus.INVALID_PARAM;
        }
        long cores = 0;
        for (int i = 0; i < count; i++) {
            int core = memory.read32(list + 4L * i);
            if (core < 0 || core >= platform.config.cores()) {
                return FirmwareStatus.INVALID_PARAM;
            }
            cores |= 1L << core;
        }
        if (context.asid() == 0) {
            return bind(context, asid, cores);
        }
        if (context.asid() != asid) {
            return FirmwareStatus.ACTIVE;
        }
        context.cores(context.cores() | cores);
        return FirmwareStatus.SUCCESS;
    }

    private FirmwareStatus bind(GuestContext context, int asid, long cores) {
        if (asid < 1 || asid > platform.highestAsid()) {
            return FirmwareStatus.INVALID_ASID;
        }
        if (platform.owner(asid) != 0) {
            return FirmwareStatus.ASID_OWNED;
        }
        if (platform.waitsForFlush(asid)) {
            return platform.allCoresWroteBack() ? FirmwareStatus.DFFLUSH_REQUIRED : FirmwareStatus.WBINVD_REQUIRED;
        }
        platform.bind(asid, context.spa());
        context.asid(asid);
        context.cores(cores);
        return FirmwareStatus.SUCCESS;
    }

    FirmwareStatus update(long buffer) {
        long at = memory.read64(buffer);
        int bits = memory.read32(buffer + 8);
        long page = memory.read64(buffer + 16);
        int permissions = memory.read32(buffer + 24);
        if (!platform.addressable(at) || !platform.addressable(page)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        GuestContext context = found.get();
        if (context.state() != GuestContext.State.LAUNCH) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (context.asid() == 0) {
            return FirmwareStatus.INACTIVE;
        }
        Optional<PageType> type = PageType.of(bits >>> 1 & 7);
        boolean imi = (bits & 0x10) != 0;
        boolean reserved = (bits & ~0x1f) != 0
                || memory.read32(buffer + 12) != 0
                || (permissions & 0xff) != 0
                || memory.read32(buffer + 28) != 0;
        if (type.isEmpty() || reserved || imi && !context.has(GuestContext.Flag.IMI)) {
            return FirmwareStatus.INVALID_PARAM;
        }
        PageSize size = PageSize.of(bits);
        FirmwareStatus refused = refusal(context, page, size, type.get());
        if (refused != FirmwareStatus.SUCCESS) {
            return refused;
        }
        take(context, page, size, type.get(), imi, permissions >>> 8);
        return FirmwareStatus.SUCCESS;
    }

    private FirmwareStatus refusal(GuestContext context, long page, PageSize size, PageType type) {
        RmpEntry entry = rmp.entry(page);
        if (entry.size() != size || !size.aligned(page)) {
            return FirmwareStatus.INVALID_PAGE_SIZE;
        }
        if (entry.pageState() != PageState.PRE_GUEST) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (entry.asid() != context.asid()) {
            return FirmwareStatus.INVALID_PAGE_OWNER;
        }
        return switch (type) {
            case NORMAL, ZERO, UNMEASURED -> FirmwareStatus.SUCCESS;
            case VMSA, SECRETS, CPUID ->
                size == PageSize.SIZE_4K ? contentRefusal(page, type) : FirmwareStatus.INVALID_PAGE_SIZE;
        };
    }

    private FirmwareStatus contentRefusal(long page, PageType type) {
        boolean valid = switch (type) {
            case VMSA -> Vmsa.launchable(memory, page);
            case CPUID -> cpuidPasses(page);
            default -> true;
        };
        return valid ? FirmwareStatus.SUCCESS : FirmwareStatus.INVALID_PARAM;
    }

    /** The page itself is corrected. */
    private boolean cpuidPasses(long page) {
        ByteBuffer table = ByteBuffer.wrap(
                        read(page, (int) PageSize.SIZE_4K.bytes()).toArray())
                .order(ByteOrder.LITTLE_ENDIAN);
        boolean passes = CpuidPage.check(table, platform.config.cpuid(), platform.rules);
        if (!passes) {
            memory.write(page, table.array(), 0, table.capacity());
        }
        return passes;
    }

    private void take(GuestContext context, long page, PageSize size, PageType type, boolean imi, int permissions) {
        RmpEntry entry = rmp.entry(page);
        for (int i = 0; i < size.frames(); i++) {
            long spa = page + 4096L * i;
            switch (type) {
                case ZERO -> memory.discard(spa >>> 12);
                case SECRETS -> SecretsPage.write(platform, context, spa);
                default -> {}
            }
            if (platform.rules.holds(Rule.LARGE_PAGE_IS_MEASURED_IN_4K)) {
                Bytes contents = type.measured() ? hash(spa, 4096) : UNMEASURED;
                platform.measure(context, type, entry.gpa() + 4096L * i, contents, imi, permissions & 0xff_ffff);
            }
        }
        if (!platform.rules.holds(Rule.LARGE_PAGE_IS_MEASURED_IN_4K)) {
            Bytes contents = type.measured() ? hash(page, (int) size.bytes()) : UNMEASURED;
            platform.measure(context, type, entry.gpa(), contents, imi, permissions & 0xff_ffff);
        }
        RmpEntry given = entry.withImmutable(false).withValidated(true).withVmsa(type == PageType.VMSA);
        for (int vmpl = 1; vmpl < 4; vmpl++) {
            given = given.withPermissions(vmpl, permissions >>> (8 * (vmpl - 1)));
        }
        rmp.write(page, given, "SNP_LAUNCH_UPDATE");
        rmp.encryptedInPlace(page);
    }

    private Bytes hash(long spa, int bytes) {
        var content = new byte[bytes];
        memory.read(spa, content, 0, content.length);
        return Digests.sha384(content);
    }

    FirmwareStatus finish(long buffer) {
        long at = memory.read64(buffer);
        if (!platform.addressable(at)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        GuestContext context = found.get();
        if (context.state() != GuestContext.State.LAUNCH) {
            return FirmwareStatus.INVALID_GUEST_STATE;
        }
        if (context.asid() == 0 && platform.asPublished()) {
            return FirmwareStatus.INACTIVE;
        }
        long flags = memory.read64(buffer + 24);
        boolean authorKey = (flags & 2) != 0;
        if ((flags & ~7L) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if ((flags & 1) != 0) {
            FirmwareStatus refused =
                    identify(context, memory.read64(buffer + 8), memory.read64(buffer + 16), authorKey);
            if (refused != FirmwareStatus.SUCCESS) {
                return refused;
            }
        }
        if ((flags & 4) != 0) {
            context.set(GuestContext.Flag.VCEK_DISABLED);
        }
        context.hostData(read(buffer + 32, 32));
        context.state(GuestContext.State.RUNNING);
        return FirmwareStatus.SUCCESS;
    }

    private FirmwareStatus identify(GuestContext context, long blockAt, long authenticationAt, boolean authorKey) {
        if (!platform.addressable(blockAt & -4096L) || !platform.addressable(authenticationAt)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Bytes raw = read(blockAt, IdBlock.BYTES);
        IdBlock block = IdBlock.decode(raw);
        if (platform.asPublished() && !block.digest().equals(context.digest())) {
            return FirmwareStatus.BAD_MEASUREMENT;
        }
        if (platform.asPublished() && block.policy() != context.policy().bits()) {
            return FirmwareStatus.POLICY_FAILURE;
        }
        var authentication = new IdAuthentication(
                read(authenticationAt, IdAuthentication.BYTES).toArray());
        if (!authentication.idAlgorithmKnown() || authorKey && !authentication.authorAlgorithmKnown()) {
            return platform.rules.holds(Rule.KEY_ALGORITHM_IS_PARAM)
                    ? FirmwareStatus.INVALID_PARAM
                    : FirmwareStatus.INVALID_CERTIFICATE;
        }
        if (!authentication.signs(raw) || authorKey && !authentication.authorSigns()) {
            return FirmwareStatus.BAD_SIGNATURE;
        }
        if (block.version() != 1) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (block.policy() != context.policy().bits()) {
            return FirmwareStatus.POLICY_FAILURE;
        }
        if (!block.digest().equals(context.digest())) {
            return FirmwareStatus.BAD_MEASUREMENT;
        }
        context.identity(
                block,
                authentication.idKey().digest(),
                authorKey ? authentication.authorKey().digest() : UNMEASURED);
        context.set(GuestContext.Flag.ID_BLOCK);
        if (authorKey) {
            context.set(GuestContext.Flag.AUTHOR_KEY);
        }
        return FirmwareStatus.SUCCESS;
    }

    FirmwareStatus decommission(long buffer) {
        long at = memory.read64(buffer);
        if (!platform.addressable(at)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        int asid = found.get().asid();
        boolean immutableLeft = asid != 0
                && rmp.runs().stream()
                        .anyMatch(r -> r.first().asid() == asid && r.first().immutable());
        if (immutableLeft && platform.rules.holds(Rule.DECOMMISSION_WANTS_NO_IMMUTABLE)) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        if (asid != 0) {
            platform.unbind(asid);
        }
        found.get().destroy();
        rmp.write(at, Platform.firmwareEntry(), "SNP_DECOMMISSION");
        return FirmwareStatus.SUCCESS;
    }

    /** SNP_GUEST_STATUS: u64 policy, u32 ASID, u8 state (1 INIT, 2 LAUNCH, 3 RUNNING); offsets are not verified. */
    FirmwareStatus guestStatus(long buffer) {
        long at = memory.read64(buffer);
        long output = memory.read64(buffer + 8);
        if (!platform.addressable(at) || !platform.addressable(output)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Optional<GuestContext> found = platform.context(at);
        if (found.isEmpty()) {
            return FirmwareStatus.INVALID_GUEST;
        }
        if (!platform.writable(output)) {
            return FirmwareStatus.INVALID_PAGE_STATE;
        }
        memory.write64(output, found.get().policy().bits());
        memory.write32(output + 8, found.get().asid());
        memory.write8(output + 12, (byte) found.get().state().code);
        return FirmwareStatus.SUCCESS;
    }

    private Bytes read(long spa, int bytes) {
        var content = new byte[bytes];
        memory.read(spa, content, 0, bytes);
        return Bytes.of(content);
    }
}

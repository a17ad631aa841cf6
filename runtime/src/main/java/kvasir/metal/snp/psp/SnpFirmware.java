package kvasir.metal.snp.psp;

import java.util.List;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.Rules;
import kvasir.registry.Bytes;

/** The security processor's firmware: one command at a time, from a buffer in host memory. */
public final class SnpFirmware {
    private final Platform platform;
    private final PlatformCommands platformCommands;
    private final LaunchCommands launchCommands;
    private final PageCommands pageCommands;
    private final SwapCommands swapCommands;
    private final UpdateCommands updateCommands;
    private final GuestRequests guestRequests;
    private Optional<FirmwareStatus> failure = Optional.empty();
    private int failures;

    /**
     * Firmware that is not initialised yet.
     *
     * @param firmwareBase first of {@link #FIRMWARE_BYTES} bytes of host memory that are the firmware's own, 4 KiB aligned
     */
    public SnpFirmware(Rmp rmp, Rules rules, Events events, PlatformConfig config, long firmwareBase) {
        platform = new Platform(rmp, rules, events, config, firmwareBase);
        platformCommands = new PlatformCommands(platform);
        launchCommands = new LaunchCommands(platform);
        pageCommands = new PageCommands(platform);
        swapCommands = new SwapCommands(platform);
        updateCommands = new UpdateCommands(platform);
        guestRequests = new GuestRequests(platform);
    }

    /** Bytes of host memory that the firmware keeps its state in. */
    public static final long FIRMWARE_BYTES = Platform.FIRMWARE_BYTES;

    /**
     * Executes the command with number {@code id} whose buffer lies at {@code buffer}, an address in host memory (not
     * looked at by commands that take none).
     */
    public FirmwareStatus issue(int id, long buffer) {
        Optional<FirmwareCommand> command = FirmwareCommand.of(id);
        Optional<FirmwareStatus> fails = failures > 0 ? failure : Optional.empty();
        failures = Math.max(0, failures - 1);
        FirmwareStatus status =
                fails.orElseGet(() -> command.map(c -> execute(c, buffer)).orElse(FirmwareStatus.INVALID_COMMAND));
        if (platform.events.listening()) {
            platform.events.emit(new CommandDone(
                    command.map(Enum::name).orElse("0x%x".formatted(id)),
                    takesNone(command) ? 0 : platform.memory.read64(buffer),
                    status));
        }
        return status;
    }

    private static boolean takesNone(Optional<FirmwareCommand> command) {
        return command.isEmpty()
                || command.get() == FirmwareCommand.SNP_INIT
                || command.get() == FirmwareCommand.SNP_SHUTDOWN
                || command.get() == FirmwareCommand.SNP_DF_FLUSH;
    }

    private FirmwareStatus execute(FirmwareCommand command, long buffer) {
        boolean anyState = switch (command) {
            case SNP_INIT, SNP_INIT_EX, SNP_PLATFORM_STATUS, SNP_FEATURE_INFO -> true;
            default -> false;
        };
        if (!anyState && !platform.initialised()) {
            return FirmwareStatus.INVALID_PLATFORM_STATE;
        }
        return switch (command) {
            case SNP_INIT -> platformCommands.init();
            case SNP_INIT_EX -> platformCommands.initEx(buffer);
            case SNP_SHUTDOWN -> platformCommands.shutdown(0);
            case SNP_SHUTDOWN_EX -> platformCommands.shutdownEx(buffer);
            case SNP_PLATFORM_STATUS -> platformCommands.status(buffer);
            case SNP_DF_FLUSH -> platformCommands.dfFlush();
            case SNP_CONFIG -> platformCommands.config(buffer);
            case SNP_COMMIT -> platformCommands.commit(buffer);
            case SNP_FEATURE_INFO -> platformCommands.featureInfo(buffer);
            case SNP_GCTX_CREATE -> launchCommands.gctxCreate(buffer);
            case SNP_LAUNCH_START -> launchCommands.start(buffer);
            case SNP_ACTIVATE -> launchCommands.activate(buffer);
            case SNP_LAUNCH_UPDATE -> launchCommands.update(buffer);
            case SNP_LAUNCH_FINISH -> launchCommands.finish(buffer);
            case SNP_DECOMMISSION -> launchCommands.decommission(buffer);
            case SNP_GUEST_STATUS -> launchCommands.guestStatus(buffer);
            case SNP_PAGE_RECLAIM -> pageCommands.reclaim(buffer);
            case SNP_PAGE_UNSMASH -> pageCommands.unsmash(buffer);
            case SNP_PAGE_MD_INIT -> swapCommands.metadataInit(buffer);
            case SNP_DBG_DECRYPT -> pageCommands.debug(buffer, true);
            case SNP_DBG_ENCRYPT -> pageCommands.debug(buffer, false);
            case SNP_GUEST_REQUEST -> guestRequests.request(buffer);
            case SNP_ACTIVATE_EX -> launchCommands.activateEx(buffer);
            case SNP_PAGE_SWAP_OUT -> swapCommands.swapOut(buffer);
            case SNP_PAGE_SWAP_IN -> swapCommands.swapIn(buffer);
            case SNP_PAGE_MOVE -> swapCommands.move(buffer);
            case SNP_PAGE_SET_STATE -> platformCommands.setState(buffer);
            case SNP_DOWNLOAD_FIRMWARE_EX -> updateCommands.download(buffer);
            case SNP_VLEK_LOAD -> updateCommands.loadVlek(buffer);
        };
    }

    /** A core wrote back and invalidated its caches. */
    public void wbinvd(int core) {
        platform.wbinvd(core);
    }

    /** Every core wrote back and invalidated its caches. */
    public void wbinvdOnAllCores() {
        for (int core = 0; core < platform.config.cores(); core++) {
            platform.wbinvd(core);
        }
    }

    /** What it keeps beside memory, as a number that is the same for the same state in every run. */
    public long fingerprint() {
        return platform.fingerprint() * 31
                + failures * 64L
                + (failures > 0 ? failure.map(FirmwareStatus::ordinal).orElse(0) : 0);
    }

    /** Whether SNP_INIT was done. */
    public boolean initialised() {
        return platform.initialised();
    }

    /**
     * The certificates of this platform, DER: VCEK for the reported TCB, ASK, ARK (a service of the vendor's key server in
     * reality). The two authorities are this emulation's own and the same for all platforms.
     */
    public List<Bytes> certificateChain() {
        return CertificateChain.of(platform.config.seed(), Tcb.of(platform.reportedTcb()));
    }

    /** The same for the VLEK, if one is loaded: VLEK, ASVK, ARK. */
    public Optional<List<Bytes>> vlekChain() {
        return platform.vlek().map(vlek -> CertificateChain.ofVlek(vlek, Tcb.of(platform.reportedTcb())));
    }

    /** What the vendor's key server wraps for this chip and TCB, for SNP_VLEK_LOAD: 432 bytes. */
    public Bytes wrappedVlek(long tcb) {
        return Vlek.wrapped(platform.config.seed(), tcb);
    }

    /** The TCB that reports show. */
    public long reportedTcb() {
        return platform.reportedTcb();
    }

    /**
     * An image that the vendor has signed, for SNP_DOWNLOAD_FIRMWARE_EX.
     *
     * @param svn security version, the SNP part of the TCB
     */
    public static Bytes firmwareImage(int major, int minor, int build, int svn) {
        return new FirmwareImage(major & 0xff, minor & 0xff, build & 0xff, svn & 0xff).signed();
    }

    /** What is fixed about the platform. */
    public PlatformConfig config() {
        return platform.config;
    }

    /** The ledger of the guest whose context page is at {@code context}; empty if there is no context there. */
    public Optional<Ledger> ledger(long context) {
        return platform.context(context).map(c -> new Ledger(platform.records(c)));
    }

    /** The launch digest of that guest, as an observer of the emulation sees it: no firmware command shows it. */
    public Optional<Bytes> launchDigest(long context) {
        return platform.context(context).map(GuestContext::digest);
    }

    /**
     * Makes {@code digest} the launch digest of a guest in LAUNCH, as if its pages so far had led to it. For launches of
     * which the first pages are known by their digest only; no firmware command does this.
     *
     * @param digest 48 bytes
     * @return whether there is such a guest
     */
    public boolean seedLaunchDigest(long context, Bytes digest) {
        Optional<GuestContext> guest = platform.context(context).filter(c -> c.state() == GuestContext.State.LAUNCH);
        guest.ifPresent(c -> c.digest(digest));
        return guest.isPresent();
    }

    /**
     * Makes the firmware's count of messages under one VMPCK what it would be after so many; no command does this.
     *
     * @param vmpck 0 to 3
     * @return whether there is such a guest
     */
    public boolean seedMessages(long context, int vmpck, long count) {
        Optional<GuestContext> guest = platform.context(context);
        guest.ifPresent(c -> c.messages(vmpck & 3, count));
        return guest.isPresent();
    }

    /**
     * Makes the count of pages that a guest has swapped out what it would be after so many; no command does this.
     *
     * @return whether there is such a guest
     */
    public boolean seedSwaps(long context, long count) {
        Optional<GuestContext> guest = platform.context(context);
        guest.ifPresent(c -> c.swaps(count));
        return guest.isPresent();
    }

    /**
     * The security processor's hardware fails during the next command, which does nothing.
     *
     * @param error HWERROR_PLATFORM (the platform is still safe) or HWERROR_UNSAFE
     */
    public void fail(FirmwareStatus error, int times) {
        failure = Optional.of(error);
        failures = times;
    }

    /** ASID of that guest; 0 if it has none, or there is no guest. */
    public int guestAsid(long context) {
        return platform.context(context).map(GuestContext::asid).orElse(0);
    }

    /** Messages exchanged with that guest under VMPCK 0 to 3; empty if there is no guest. */
    public List<Long> messageCounts(long context) {
        return platform.context(context)
                .map(guest -> List.of(guest.messages(0), guest.messages(1), guest.messages(2), guest.messages(3)))
                .orElse(List.of());
    }

    /** INIT, LAUNCH or RUNNING for that guest. */
    public Optional<String> guestState(long context) {
        return platform.context(context).map(c -> c.state().name());
    }
}

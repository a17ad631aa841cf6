package kvasir.scripts.runner;

import java.nio.file.Path;
import java.util.Optional;
import kvasir.scripts.translate.Program;

/**
 * One test under one semantics.
 *
 * @param test absent if the top level itself is the test
 * @param skipReason why it will not be run; empty if it will
 */
record Case(
        Path file, Program program, Optional<Program.Test> test, String name, String semantics, String skipReason) {}

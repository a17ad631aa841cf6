/**
 * A relying party: who verifies what a guest shows, with the cryptography of the JDK and nothing of the firmware's model.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>ARK, ASK, VCEK</b>: the platform's root key, the key between, and the key that signs reports.
 *   <li><b>TCB</b>: security versions of the platform's firmware; the certificate and the report must agree on them.
 * </ul>
 */
@NullMarked
package kvasir.vmm.attest;

import org.jspecify.annotations.NullMarked;

(** What the main theorems rest on.  Compiled last; every answer must read
    "Closed under the global context", i.e. no axiom is used. *)

Require ReverseDerivative.Category ReverseDerivative.Reverse ReverseDerivative.Diagrams
  ReverseDerivative.Forward ReverseDerivative.Polynomial ReverseDerivative.Lenses
  ReverseDerivative.NoGo ReverseDerivative.Model ReverseDerivative.PrimeForward
  ReverseDerivative.Prime ReverseDerivative.Bits.

(* every RDC is a CDC *)
Print Assumptions Forward.rdc_cdc.
(* diagrams *)
Print Assumptions Diagrams.R_well_defined.
Print Assumptions Diagrams.diagrams_rdc.
Print Assumptions Diagrams.diagrams_cdc.
(* polynomial circuits *)
Print Assumptions Polynomial.poly_sound.
Print Assumptions Polynomial.poly_rdc.
Print Assumptions Polynomial.poly_cdc.
(* lenses and optics *)
Print Assumptions Lenses.lens_assoc.
Print Assumptions Lenses.lens_id_l.
Print Assumptions Lenses.lens_id_r.
Print Assumptions Lenses.lens_tensor_id.
Print Assumptions Lenses.lens_tensor_comp.
Print Assumptions Lenses.lens_swap_natural.
Print Assumptions Lenses.lens_swap_involutive.
Print Assumptions Lenses.lens_copynat.
Print Assumptions Lenses.lens_discardnat.
Print Assumptions Lenses.to_lens_well_defined.
Print Assumptions Lenses.of_lens_well_defined.
Print Assumptions Lenses.to_of_lens.
Print Assumptions Lenses.of_to_lens.
Print Assumptions Lenses.to_lens_comp.
Print Assumptions Lenses.rd_tensor.
Print Assumptions Lenses.rd_copy.
Print Assumptions Lenses.rd_add.
Print Assumptions Lenses.rlens_mor.
Print Assumptions Lenses.rlens_id.
Print Assumptions Lenses.rlens_comp.
Print Assumptions Lenses.rlens_tensor.
Print Assumptions Lenses.rlens_copynat.
(* no reverse derivative on functions *)
Print Assumptions NoGo.idempotent_absorbing.
Print Assumptions NoGo.idempotent_commutative_char2.
Print Assumptions NoGo.no_R_on_functions.
Print Assumptions NoGo.no_R_on_boolean_functions.
Print Assumptions NoGo.no_R_on_boolean_functions_by_symmetry.
(* circuits are not functions *)
Print Assumptions Model.sound.
Print Assumptions Model.square_is_identity_on_Z2.
Print Assumptions Model.square_is_not_identity.
(* changes that differ from values *)
Print Assumptions PrimeForward.rdc_cdc.
Print Assumptions Prime.prime_prime.
Print Assumptions Prime.prime_point.
Print Assumptions Prime.R_well_defined.
Print Assumptions Prime.prime_rdc.
Print Assumptions Prime.prime_cdc.
Print Assumptions Bits.bits_sound.
Print Assumptions Bits.bits_rdc.
Print Assumptions Bits.bits_cdc.

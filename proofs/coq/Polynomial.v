(** Polynomial circuits meet the hypotheses of the theorem on diagrams (CIRC.gen, CIRC.R, CIRC.eqs).

    One wire type; generators mul : 2 -> 1 and a constant 0 -> 1 for each s in [S]; add, zero, copy,
    discard are those of the cartesian left-additive category, so their equations hold already.
    Generating equations: mul is associative, commutative, unital with the constant 1, distributes
    over + and is annihilated by 0; the constants add and multiply as [S] says.
    Theorems [poly_rdc], [poly_cdc]: RD.1 to RD.7, CD.1 to CD.7 for every polynomial circuit.
    Scope: any set [S] with operations; no law is asked of them (a law that fails in [S] makes
    constants equal).  Choose a commutative semiring to obtain CIRC.gen.
    Source: "Categories of differentiable polynomial circuits for machine learning"
    (arXiv 2203.06430), section 3. *)

Require Import ReverseDerivative.Category ReverseDerivative.Reverse ReverseDerivative.Forward
  ReverseDerivative.Diagrams.
From Coq Require Import Ring.

Record Coefficients := {
  S :> Type;
  s_add : S -> S -> S;
  s_mul : S -> S -> S;
  s_zero : S;
  s_one : S
}.

(** One wire. *)
Definition w : obj unit := wire tt.

Inductive poly_gen (K : Coefficients) : obj unit -> obj unit -> Type :=
| g_mul : poly_gen K (prod_o w w) w
| g_const : K -> poly_gen K unit_o w.
Arguments g_mul {K}.
Arguments g_const {K} _.

Definition t_mul {K : Coefficients} {X} (f g : tm (poly_gen K) X w) : tm (poly_gen K) X w :=
  t_comp (t_pair f g) (t_gen g_mul).
Definition t_const {K : Coefficients} (s : K) : tm (poly_gen K) unit_o w := t_gen (g_const s).
Definition t_one {K : Coefficients} {X} : tm (poly_gen K) X w := t_comp (t_bang X) (t_const (s_one K)).

(** The first, second and third of three wires. *)
Definition x3 {K : Coefficients} : tm (poly_gen K) (prod_o (prod_o w w) w) w := t_comp t_fst t_fst.
Definition y3 {K : Coefficients} : tm (poly_gen K) (prod_o (prod_o w w) w) w := t_comp t_fst t_snd.
Definition z3 {K : Coefficients} : tm (poly_gen K) (prod_o (prod_o w w) w) w := t_snd.

Inductive poly_eqn (K : Coefficients) :
  forall A B, tm (poly_gen K) A B -> tm (poly_gen K) A B -> Prop :=
| mul_assoc : poly_eqn K _ _ (t_mul x3 (t_mul y3 z3)) (t_mul (t_mul x3 y3) z3)
| mul_comm : poly_eqn K _ _ (t_mul t_fst t_snd) (t_mul t_snd t_fst)
| mul_unit : poly_eqn K _ _ (t_mul t_one (t_id w)) (t_id w)
| mul_distr : poly_eqn K _ _ (t_mul (t_plus x3 y3) z3) (t_plus (t_mul x3 z3) (t_mul y3 z3))
| mul_annihil : poly_eqn K _ _ (t_mul t_zero (t_id w)) t_zero
| const_add : forall s t,
    poly_eqn K _ _ (t_plus (t_const s) (t_const t)) (t_const (s_add K s t))
| const_mul : forall s t,
    poly_eqn K _ _ (t_mul (t_const s) (t_const t)) (t_const (s_mul K s t))
| const_zero : poly_eqn K _ _ (t_const (s_zero K)) t_zero.

(** CIRC.R: R[mul](x,y,d) = (y d, x d), R[s](d) = (). *)
Definition poly_rule K A B (g : poly_gen K A B) : tm (poly_gen K) (prod_o A B) A :=
  match g in poly_gen _ A B return tm (poly_gen K) (prod_o A B) A with
  | g_mul => t_pair (t_mul (t_comp t_fst t_snd) t_snd) (t_mul (t_comp t_fst t_fst) t_snd)
  | g_const s => t_zero
  end.

Definition Poly (K : Coefficients) : Presentation :=
  {| W := unit; G := poly_gen K; E := poly_eqn K; rule := poly_rule K |}.

Section Circuits.
  Context (K : Coefficients).
  Notation PC := (cat (Poly K)).
  Notation R := (Rc (Poly K) _ _).
  Notation Rop := (Rc (Poly K)).
  Definition wo : ob PC := w.
  Definition mul : @hom PC (wo × wo) wo := t_gen g_mul.
  Definition const (s : K) : @hom PC one wo := t_gen (g_const s).

  (** ** The elements of the wire form a commutative semiring, so [ring] decides their equations *)
  Section Elements.
    Context (X : ob PC).
    Implicit Types f g h : @hom PC X wo.
    Definition times f g : @hom PC X wo := ⟨f, g⟩ ;; mul.
    Definition unity : @hom PC X wo := bang X ;; const (s_one K).

    #[global] Instance times_Proper : Proper (eqv ==> eqv ==> eqv) times.
    Proof. intros f f' p g g' q; unfold times; rewrite p, q; reflexivity. Qed.

    Lemma eqn A B (f g : @hom PC A B) : poly_eqn K A B f g -> f == g.
    Proof. exact (q_gen (poly_eqn K) A B f g). Qed.

    (* Each proof takes the generating equation at an element, in the language of the category. *)

    Lemma times_assoc f g h : times f (times g h) == times (times f g) h.
    Proof.
      pose proof (eqn _ _ _ _ (mul_assoc K)) as e. apply (at_elem (C := PC) _ _ _ ⟨⟨f, g⟩, h⟩) in e.
      change (⟨⟨f, g⟩, h⟩ ;; (⟨fst ;; fst, ⟨fst ;; snd, snd⟩ ;; mul⟩ ;; mul) ==
              ⟨⟨f, g⟩, h⟩ ;; (⟨⟨fst ;; fst, fst ;; snd⟩ ;; mul, snd⟩ ;; mul)) in e.
      revert e. unfold times. clac. trivial.
    Qed.
    Lemma times_comm f g : times f g == times g f.
    Proof.
      pose proof (eqn _ _ _ _ (mul_comm K)) as e. apply (at_elem (C := PC) _ _ _ ⟨f, g⟩) in e.
      change (⟨f, g⟩ ;; (⟨fst, snd⟩ ;; mul) == ⟨f, g⟩ ;; (⟨snd, fst⟩ ;; mul)) in e.
      revert e. unfold times. clac. trivial.
    Qed.
    Lemma times_1_l f : times unity f == f.
    Proof.
      pose proof (eqn _ _ _ _ (mul_unit K)) as e. apply (at_elem (C := PC) _ _ _ f) in e.
      change (f ;; (⟨bang wo ;; const (s_one K), id wo⟩ ;; mul) == f ;; id wo) in e.
      revert e. unfold times, unity. rewrite (to_one X (bang X) (f ;; bang wo)). clac. trivial.
    Qed.
    Lemma times_distr f g h : times (f ⊕ g) h == times f h ⊕ times g h.
    Proof.
      pose proof (eqn _ _ _ _ (mul_distr K)) as e. apply (at_elem (C := PC) _ _ _ ⟨⟨f, g⟩, h⟩) in e.
      change (⟨⟨f, g⟩, h⟩ ;; (⟨fst ;; fst ⊕ fst ;; snd, snd⟩ ;; mul) ==
              ⟨⟨f, g⟩, h⟩ ;; (⟨fst ;; fst, snd⟩ ;; mul ⊕ ⟨fst ;; snd, snd⟩ ;; mul)) in e.
      revert e. unfold times. clac. trivial.
    Qed.
    Lemma times_0_l f : times O f == O.
    Proof.
      pose proof (eqn _ _ _ _ (mul_annihil K)) as e. apply (at_elem (C := PC) _ _ _ f) in e.
      change (f ;; (⟨O, id wo⟩ ;; mul) == f ;; O) in e.
      revert e. unfold times. clac. trivial.
    Qed.

    Lemma elements_semiring : semi_ring_theory O unity (@plus PC X wo) times eqv.
    Proof.
      split; intros; [apply plus_0_l | apply plus_comm | apply plus_assoc | apply times_1_l
        | apply times_0_l | apply times_comm | apply times_assoc | apply times_distr].
    Qed.
    Lemma elements_eqe : sring_eq_ext (@plus PC X wo) times eqv.
    Proof. split; [apply plus_Proper | apply times_Proper]. Qed.
  End Elements.

  Lemma times_natural X Y (k : @hom PC X Y) f g : k ;; times _ f g == times _ (k ;; f) (k ;; g).
  Proof. unfold times. clac. reflexivity. Qed.
  Lemma times_fold X (f g : @hom PC X wo) : ⟨f, g⟩ ;; mul == times X f g.
  Proof. reflexivity. Qed.
  Lemma unity_natural X Y (k : @hom PC X Y) : k ;; unity Y == unity X.
  Proof. unfold unity. rewrite assoc, (to_one X (k ;; bang Y) (bang X)). reflexivity. Qed.
  Hint Rewrite times_natural times_fold unity_natural : clac.

  (** ** R on the generators and on products *)
  Lemma re_mul X (u : @hom PC X (wo × wo)) d :
    ⟨u, d⟩ ;; R mul == ⟨times _ (u ;; snd) d, times _ (u ;; fst) d⟩.
  Proof.
    change (R mul) with (⟨times _ (fst ;; snd) snd, times _ (fst ;; fst) snd⟩ :
      @hom PC ((wo × wo) × wo) (wo × wo)).
    clac. reflexivity.
  Qed.
  Lemma re_const s X (u : @hom PC X one) d : ⟨u, d⟩ ;; R (const s) == O.
  Proof. apply to_one. Qed.

  Let e_id := re_id (raw (Poly K)).      Let e_fst := re_fst (raw (Poly K)).
  Let e_snd := re_snd (raw (Poly K)).    Let e_bang := re_bang (raw (Poly K)).
  Let e_zero := re_zero (raw (Poly K)).  Let e_plus := re_plus (raw (Poly K)).
  Let e_pair := re_pair (raw (Poly K)).  Let e_comp := re_comp (raw (Poly K)).
  (* Unfold R first: it is not yet known to respect equality, so its argument must stay as it is. *)
  Ltac unfold_R := repeat
    (rewrite ?e_comp, ?e_pair, ?e_plus, ?e_fst, ?e_snd, ?e_zero, ?e_id, ?re_mul, ?re_const).

  (** Normalise, then compare component by component in the semiring of elements. *)
  Section Decide.
    Context (X : ob PC).
    Add Ring elements : (elements_semiring X)
      (setoid (eqv_Equivalence PC X wo) (elements_eqe X), abstract).
    Ltac ring_pairs := lazymatch goal with
      | |- ⟨_, _⟩ == ⟨_, _⟩ => apply pair_mor; ring_pairs
      | |- _ => ring
      end.
    Ltac decide_R := unfold_R; clac; ring_pairs.

    Lemma mul_rd2 (u : @hom PC X (wo × wo)) d d' :
      ⟨u, d ⊕ d'⟩ ;; R mul == ⟨u, d⟩ ;; R mul ⊕ ⟨u, d'⟩ ;; R mul.
    Proof. decide_R. Qed.
    Lemma mul_rd2_zero (u : @hom PC X (wo × wo)) : ⟨u, O⟩ ;; R mul == O.
    Proof. unfold_R. clac. rewrite <- pair_zero. ring_pairs. Qed.

    Notation x := (@fst PC (wo × wo) wo ;; @fst PC wo wo).
    Notation y := (@fst PC (wo × wo) wo ;; @snd PC wo wo).
    Notation z := (@snd PC (wo × wo) wo).
    Lemma resp_mul_assoc (u : @hom PC X ((wo × wo) × wo)) d :
      ⟨u, d⟩ ;; R (⟨x, ⟨y, z⟩ ;; mul⟩ ;; mul) == ⟨u, d⟩ ;; R (⟨⟨x, y⟩ ;; mul, z⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma resp_mul_comm (u : @hom PC X (wo × wo)) d :
      ⟨u, d⟩ ;; R (⟨fst, snd⟩ ;; mul) == ⟨u, d⟩ ;; R (⟨snd, fst⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma resp_mul_unit (u : @hom PC X wo) d :
      ⟨u, d⟩ ;; R (⟨bang wo ;; const (s_one K), id wo⟩ ;; mul) == ⟨u, d⟩ ;; R (id wo).
    Proof.
      unfold_R. fold (unity wo). clac. ring.
    Qed.
    Lemma resp_mul_distr (u : @hom PC X ((wo × wo) × wo)) d :
      ⟨u, d⟩ ;; R (⟨x ⊕ y, z⟩ ;; mul) == ⟨u, d⟩ ;; R (⟨x, z⟩ ;; mul ⊕ ⟨y, z⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma resp_mul_annihil (u : @hom PC X wo) d :
      ⟨u, d⟩ ;; R (⟨O, id wo⟩ ;; mul) == ⟨u, d⟩ ;; R (@zero PC wo wo).
    Proof. decide_R. Qed.
  End Decide.

  Theorem poly_respects : Respects (Poly K).
  Proof.
    split.
    - intros A B g; destruct g; split.
      + intros; apply mul_rd2.
      + intros; apply mul_rd2_zero.
      + intros; apply (to_one (C := PC)).
      + intros; apply (to_one (C := PC)).
    - intros A B f g e. apply (elem_ext (C := PC)); intros X u d. destruct e.
      + exact (resp_mul_assoc X u d).
      + exact (resp_mul_comm X u d).
      + exact (resp_mul_unit X u d).
      + exact (resp_mul_distr X u d).
      + exact (resp_mul_annihil X u d).
      + apply (to_one (C := PC)).
      + apply (to_one (C := PC)).
      + apply (to_one (C := PC)).
  Qed.
  Let RD := diagrams_rd15 _ poly_respects.
  #[local] Instance R_Proper' A B : Proper (eqv ==> eqv) (Rc (Poly K) A B).
  Proof. intros f g; apply (R_mor _ RD). Qed.
  #[local] Instance D_Proper' A B : Proper (eqv ==> eqv) (@D PC Rop A B).
  Proof. intros f g e; unfold D; rewrite e; reflexivity. Qed.

  (** ** RD.6 and RD.7 of mul, by D[mul](u, v) = u1 v2 + v1 u2. *)
  Notation by2 f g := (⟨f, g⟩ ;; mul).
  Lemma R_mul : R mul == ⟨by2 (fst ;; snd) snd, by2 (fst ;; fst) snd⟩.
  Proof. apply elem_ext; intros. rewrite re_mul. clac. reflexivity. Qed.

  Let d_id := de_id RD.      Let d_fst := de_fst RD.    Let d_snd := de_snd RD.
  Let d_zero := de_zero RD.  Let d_plus := de_plus RD.  Let d_pair := de_pair RD.
  Let d_comp := de_comp RD.  Let d_0 := de_0 RD.
  Hint Rewrite d_id d_fst d_snd d_zero d_plus d_pair d_comp d_0 : clac.

  Section DecideD.
    Context (X : ob PC).
    Add Ring elements' : (elements_semiring X)
      (setoid (eqv_Equivalence PC X wo) (elements_eqe X), abstract).

    Lemma de_mul (u v : @hom PC X (wo × wo)) : ⟨u, v⟩ ;; D Rop mul ==
      times X (u ;; fst) (v ;; snd) ⊕ times X (v ;; fst) (u ;; snd).
    Proof. rewrite de, R_mul. unfold_R. clac. ring. Qed.
    Hint Rewrite de_mul : clac.

    Lemma mul_rd6_at (u : @hom PC X (wo × wo)) (v w : hom X wo) :
      ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D Rop (R mul) == ⟨u, w⟩ ;; R mul.
    Proof. rewrite R_mul. clac. apply pair_mor; ring. Qed.
  End DecideD.
  Hint Rewrite de_mul : clac.

  Lemma D_mul : D Rop mul == by2 (fst ;; fst) (snd ;; snd) ⊕ by2 (snd ;; fst) (fst ;; snd).
  Proof. apply elem_ext; intros. clac. reflexivity. Qed.

  Section Decide7.
    Context (X : ob PC).
    Add Ring elements'' : (elements_semiring X)
      (setoid (eqv_Equivalence PC X wo) (elements_eqe X), abstract).
    Lemma mul_rd7_at (u v w t : @hom PC X (wo × wo)) :
      ⟨⟨u, v⟩, ⟨w, t⟩⟩ ;; D Rop (D Rop mul) == ⟨⟨u, w⟩, ⟨v, t⟩⟩ ;; D Rop (D Rop mul).
    Proof. rewrite D_mul. clac. ring. Qed.
  End Decide7.

  (* A constant has no changes to take: R[s] = 0, so D[s] = 0. *)
  Lemma const_rd6 s : RD6_at Rop (const s).
  Proof. intros X u v c. apply (to_one (C := PC)). Qed.
  Lemma const_rd7 s : RD7_at Rop (const s).
  Proof.
    intros X u v c t.
    rewrite (to_one X u v), (to_one X c v), (to_one X t v). reflexivity.
  Qed.

  Theorem poly_sound : Sound (Poly K).
  Proof.
    split.
    - apply poly_respects.
    - intros A B g; destruct g; [exact mul_rd6_at | exact (const_rd6 s)].
    - intros A B g; destruct g; [exact mul_rd7_at | exact (const_rd7 s)].
  Qed.

  (** Main theorems: every polynomial circuit satisfies RD.1 to RD.7 and CD.1 to CD.7. *)
  Theorem poly_rdc : RDC Rop.
  Proof. apply diagrams_rdc, poly_sound. Qed.
  Theorem poly_cdc : CDC (@D PC Rop).
  Proof. apply diagrams_cdc, poly_sound. Qed.
End Circuits.

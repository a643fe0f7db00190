"""What the columns of an item table are called: titles by role in fifteen languages, and finding them in a header.

Roles: position code description quantity unit unit_price gross_price discount tax_rate tax_amount amount gross_amount
other.
A phrase is folded words; `*` at its end stands for any ending of the last word. The longest phrase wins, so that
`total price` is an amount although `price` alone is a unit price.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from mcp_pdf.extract.folding import tokens

_TITLES = {
    "position": """
        pos; position; line; line no; line id; no; nr; item no; item nr; # ; lp; l p; poz; lfd; lfd nr;
        ligne; linea; riga; num; rad; linje; linjenr; sira; sira no; radek; item number; n; reng; crt; nr
        crt; s no; sl; sl no; sr no; ln; regel; item id; pos nr
    """,
    "code": """
        code; sku; article; article no; article number; art no; art nr; artikelnr; artikelnummer; artikel
        nr; art; product code; product no; item code; part no; part number; ref; reference; referencia;
        referenz; codigo; cod; codigo produto; cod articolo; codice; codice articolo; cod art; articolo;
        indeks; kod; kod towaru; symbol; varenr; varenummer; artikelnr; vare nr; urun kodu; stok kodu;
        malzeme kodu; malzeme hizmet kodu; ean; gtin; isbn ean; isbn; ncm; ncm sh; cst; csosn; cfop; o cst;
        cn; pkwiu; pkwiu pkob; gtu; hs code; hs; tariff code; model; unikalny numer wiersza; clave; clave
        sat; clave prod serv; clave producto; no identificacion; codigo de barras; artikelcode; ordernummer;
        bestellnummer; material; referenzen; codice a barre; art nr kunde; art nr lief; product id; item
        ref; kod produktu; katalogove cislo; barkod; catalog no; mfg; style
    """,
    "description": """
        description*; item; items; item name; item description; product; products; product name; product
        description; service; services; details; particulars; name; goods; article description; descr;
        designation; libelle; produit; produits; descripcion*; concepto*; detalle; producto; articulo;
        servicio; denominacion; descrizione; descr; prodotto; prestazione; beni; bezeichnung*; beschreibung;
        artikelbezeichnung; produkt; produktbezeichnung; leistung; leistungsbeschreibung; text; artikel;
        ware; warenbezeichnung; omschrijving; artikelomschrijving; productomschrijving; nazwa; nazwa towaru;
        nazwa towaru lub uslugi; nazwa towaru uslugi; towar; towar usluga; opis; opis towaru; descricao;
        descricao dos produtos servicos; descricao do produto servico; descricao do produto; descricao dos
        produtos; produto; discriminacao; designacao; beskrivelse; varebeskrivelse; varetekst; tekst; vare;
        produktnavn; ydelse; betegnelse; beskrivning; benamning; artikelbenamning; vara; benaming; aciklama;
        urun; urun adi; mal hizmet; mal hizmet cinsi; malzeme; malzeme hizmet aciklamasi; malzeme
        aciklamasi; hizmet; cinsi; mal; popis; nazev; polozka; oznaceni; oznaceni dodavky; nazev polozky;
        denumire*; denumirea produselor sau a serviciilor; denumire produs; produs; descriere; nimike;
        description of goods; description of goods and services; goods description; activity; task; work;
        job; title; navn; artikelnavn; article name; designation des articles; designation des produits;
        nature; prestation; prestations; intitule; natureza e qualidade; natura e qualita; commodity; item
        details; varens beskrivelse; varenavn
    """,
    "quantity": """
        quantity; qty; quant; qnty; count; units; hours; hrs; no of units; ordered; shipped; qty ordered;
        qty shipped; quantity ordered; menge; anzahl; stuck; liefermenge; std; stunden; quantite; qte; qtes;
        nombre; cantidad; cant; ctd; uds; unidades; quantita; qta; q ta; qt; aantal; hoeveelheid; ilosc; il;
        quantidade; qtd; qtde; quant; qde; antall; antal; ant; kvantitet; miktar; adet; mnozstvi; pocet;
        cantitate; cantitatea; cant; maara; mnoz; numero; delivered; delivered qty; invoiced qty; invoiced
        quantity; antall levert; levert; antal enheder; mengd; fakturert antall; leveret; menge in; pieces;
        pcs; q te; billed quantity
    """,
    "unit": """
        unit; uom; u m; um; unit of measure; unit of measurement; einheit; eh; me; mengeneinheit; unite;
        unidad; unidad de medida; u medida; unita; unita di misura; udm; eenheid; ehd; jm; j m; jedn;
        jednostka; jednostka miary; miara; unidade; un; und; uni; unid; enhet; enhed; birim; birimi; olcu
        birimi; mj; jednotka; m j; merna jednotka; u m; yks; unit code; unit measure; enh
    """,
    "unit_price": """
        unit price*; price; unit cost; rate; unit rate; price per unit; price each; each; price unit; net
        price; net unit price; cost; unit net price; item price; price ex vat; price excl vat; hourly rate;
        list price; selling price; unit amount; unit value; preis; einzelpreis; e preis; ep; stuckpreis;
        einzel; nettopreis; preis einheit; preis pro einheit; netto einzelpreis; einzelpreis netto; preis
        netto; einzelbetrag; listenpreis; satz; stundensatz; prix; prix unitaire*; pu; p u; pu ht; p u ht;
        prix u; prix unit; prix unitaire ht; prix unitaire net; prix ht unitaire; precio; precio unitario;
        p unitario; precio unit; valor unitario; precio ud; importe unitario; v unitario; p unit; pr unitario;
        prezzo; prezzo unitario; prezzo unit; pr unit; valore unitario; prezzo un; importo unitario; prijs; prijs st;
        stukprijs; prijs per stuk; eenheidsprijs; tarief; prijs per eenheid; stuksprijs; cena; cena jedn;
        cena jedn netto; cena jednostkowa; cena jednostkowa netto; cena netto; cena j; c j; cena jm; preco;
        preco unitario; preco unit; valor unit; v unit; vl unit; vlr unit; vl unitario; vr unit; v un;
        vunit; valor un; p unitario; pris; enhetspris; enhedspris; stykpris; stk pris; a pris; apris; pris
        per enhet; pris pr enhet; pris pr stk; pris eks mva; nettopris; prisenhet; netto pris; birim fiyat*;
        b fiyat; fiyat; jednotkova cena; cena za jednotku; cena za mj; cena mj; cena ks; jedn cena; pret;
        pret unitar; pretul unitar; pret unitar fara tva; a hinta; yksikkohinta; value unit; stawka netto;
        cena bez dph; cena za m j; item net price; nettoprijs; preis je einheit; item net price excl vat
    """,
    "discount": """
        discount*; disc; disc %; rabatt*; nachlass; remise; rem; descuento*; dto; desc; dcto; bonif;
        sconto*; sconto o magg; sc; korting; rabat*; upust; opust; desconto*; iskonto*; iskonto orani;
        iskonto tutari; indirim; sleva; reducere; discount amount; zu abschlag; rabat %; allowance;
        allowances; charges; allowance charge; korting %; v desc; vl desc
    """,
    "tax_rate": """
        vat; vat %; vat rate; tax; taxes; tax rate; tax %; gst; gst %; hst; sales tax; tax code; vat code;
        mwst; mwst satz; ust; ust satz; steuer; steuersatz; steuer %; mwst %; ust %; tva; taux; taux tva;
        tva %; iva; iva %; % iva; tipo; tipo iva; impuestos; impuesto; aliquota; aliquota iva; al iva; al;
        cod iva; iva %; btw; btw %; btw tarief; vat tarief; stawka; stawka vat; stawka podatku; vat stawka;
        taxa; taxa iva; % icms; aliq; aliq icms; aliq ipi; % ipi; icms; ipi; icms %; ipi %; mva; mva %; mva
        sats; moms; moms %; moms sats; momssats; mvakode; mva kode; kdv; kdv orani; kdv %; dph; dph %; sazba
        dph; sazba; cota tva; cota; alv; % tva; % vat; tax category; vat category; vat cat; avgift;
        avgiftskategori; avgiftssats; taux de tva; taxes %; tasa o cuota
    """,
    "tax_amount": """
        vat amount; tax amount; wartosc sprzedazy vat; gst amount; steuerbetrag; mwst betrag; ust betrag;
        montant tva; importe iva; cuota iva; cuota; importo iva; imposta; btw bedrag; kwota vat; kwota
        podatku; kwota podatku vat; wartosc vat; podatek; valor iva; valor icms; valor ipi; v icms; v ipi;
        vl icms; vl ipi; bc icms; b calc icms; base icms; base de calculo; vlr icms; vlr ipi; bcalc icms;
        mva belop; momsbelop; kdv tutari; diger vergiler; vydal dph; castka dph; valoare tva; valoarea tva;
        v bc; bc; base; base imponible; b c icms
    """,
    "amount": """
        amount*; line amount; line total; total; total amount; net; net amount; net total; total net; total
        price; ext price; extended; extended price; extension; ext amount; value; net value; total value;
        sum; subtotal; sub total; line net amount; price total; betrag; gesamtpreis; gesamt; summe;
        gesamtbetrag; nettobetrag; netto; entgelt; wert; g preis; gp; positionsbetrag; gesamt netto; netto
        gesamt; nettowert; zeilensumme; warenwert; betrag netto; summe netto; montant*; montant ht; total
        ht; prix total; prix ht; total net ht; valeur; importe*; importe neto; total linea; precio total;
        neto; valor; monto; total neto; importo*; prezzo totale; totale; valore totale; prezzo tot; tot;
        importo netto; totale netto; valore; totale riga; bedrag; totaal; totaalbedrag; totaalprijs;
        regeltotaal; bedrag excl; totaal excl; wartosc; wartosc netto; wartosc sprzedazy; wartosc sprzedazy
        netto; kwota netto; kwota; razem; wartosc towaru; total liquido; valor total; v total; vl total; vlr
        total; preco total; vr total; valor liquido; vtotal; montante; belop; netto belop; nettobelop; sum
        eks mva; linjesum; linjebelop; belop eks mva; total belop; i alt; ialt; linjetotal; sum netto;
        linjesum eks mva; belopp; summa; nettobelopp; radsumma; tutar*; toplam; toplam tutar; mal hizmet
        tutari; satir tutari; net tutar; castka; celkem; cena celkem; celkova cena; celkem bez dph;
        valoare*; valoarea; valoare fara tva; valoarea fara tva; total fara tva; yhteensa; summa netto; line
        value; total excl vat; amount excl vat; total ex vat; net line total; total eks mva; total ekskl
        moms; line extension amount; cost total; total cost; invoice amount; bedrag ex btw
    """,
    "gross_amount": """
        gross; gross amount; total gross; total incl vat; total inc vat; amount incl vat; gross value;
        brutto; bruttobetrag; gesamt brutto; montant ttc; total ttc; prix ttc; ttc; importe total; total con
        iva; importo lordo; totale ivato; wartosc brutto; kwota brutto; total com iva; total inkl mva; belop
        inkl mva; inkl moms; brutto belop; s kdv dahil; celkem s dph; valoare cu tva; total cu tva; bedrag
        incl; totaal incl; incl btw; wartosc sprzedazy brutto; total inc gst; kdv dahil tutar; vergiler
        dahil toplam tutar; sum inkl mva; amount including vat; total including vat; montant total ttc;
        summe brutto; gesamtpreis brutto; belop inkl moms; total inkl moms; importo ivato; valor com iva
    """,
    "gross_price": """
        cena brutto; gross price; gross unit price; prix unitaire ttc; pu ttc; p u ttc; bruttopreis;
        einzelpreis brutto; cena jedn brutto; cena jednostkowa brutto; cena s dph; price incl vat; unit
        price incl vat; prezzo ivato; precio con iva; pris inkl mva; pris inkl moms; prijs incl btw
    """,
    "other": """
        date; datum; data; fecha; dato; tarih; delivery date; weight; gross weight; net weight; gewicht;
        peso; poids; vekt; volume; class; currency; price unit; preiseinheit; notes; remarks; period;
        country of origin; origin; lot; batch; serial; warranty; liefertermin; leistungsdatum; datum
        leistung; packaging; colli; due date; skonto; bank; iban
    """,
}


class Title(NamedTuple):
    """A role found in the words of a header: words[start:end] name it."""

    role: str
    start: int
    end: int


def _table() -> dict[tuple[str, ...], str]:
    table: dict[tuple[str, ...], str] = {}
    for role, text in _TITLES.items():
        for phrase in text.split(";"):
            words = tuple(phrase.split())
            if words:
                table.setdefault(words, role)
    return table


_PHRASES = _table()
_LONGEST = max(len(phrase) for phrase in _PHRASES)
_STEMS: dict[tuple[str, ...], list[tuple[str, str]]] = {}  # first words of a phrase: how its last one starts, role
for _phrase, _meant in _PHRASES.items():
    if _phrase[-1].endswith("*"):
        _STEMS.setdefault(_phrase[:-1], []).append((_phrase[-1][:-1], _meant))


@lru_cache(maxsize=4096)
def _role(words: tuple[str, ...]) -> str | None:
    role = _PHRASES.get(words) or _PHRASES.get((*words[:-1], words[-1] + "*"))
    if role is None and (len(words) > 1 or len(words[0]) > 5):
        stems = _STEMS.get(words[:-1], ())
        role = next((meant for stem, meant in stems if words[-1].startswith(stem)), None)
    return role


def find_titles(words: Sequence[str]) -> list[Title]:
    """Titles in printed header words, left to right, longest phrase first; words that say nothing are passed over."""
    spelled: list[tuple[str, int]] = []  # folded token and the printed word that it stands in
    for index, word in enumerate(words):
        parts = tokens(word) or (("%",) if "%" in word else ("#",) if "#" in word else ())
        spelled.extend((part, index) for part in parts)
        if parts and "%" in word and parts != ("%",):
            spelled.append(("%", index))
    found: list[Title] = []
    at = 0
    while at < len(spelled):
        for length in range(min(_LONGEST, len(spelled) - at), 0, -1):
            phrase = tuple(token for token, _ in spelled[at : at + length])
            role = _role(phrase)
            if role and (len(phrase[0]) > 1 or len(phrase) > 1 or len(spelled) == 1):
                found.append(Title(role, spelled[at][1], spelled[at + length - 1][1] + 1))
                at += length
                break
        else:
            at += 1
    return found

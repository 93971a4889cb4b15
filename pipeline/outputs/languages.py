"""The words on pictures, in each language that they can be had in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as day

from pipeline.outputs import style


@dataclass(frozen=True)
class Language:
    """Words, and which way they run. `kinds` and `directions` stand before a count in brackets."""

    before: str
    after: str
    undated: str
    date: str  # of {day}, {month} and {year}
    months: tuple[str, ...]
    kinds: Mapping[str, str]
    directions: Mapping[str, str]
    found: str  # before the count of all findings
    nothing: str
    unobserved: str
    made: str
    made_images: str
    delivered: str
    stretch: str  # after what the picture's colours are called
    pixel: str  # of {size}
    observed: str  # of {share}
    numbered: str  # of {some} and {all}
    colours: Mapping[str, str] = field(default_factory=dict)
    right_to_left: bool = False

    def long_date(self, iso: str | None) -> str:
        """A day as people write it."""
        if not iso:
            return self.undated
        on = day.fromisoformat(iso[:10])
        return self.date.format(day=on.day, month=self.months[on.month - 1], year=on.year)


def _months(names: str) -> tuple[str, ...]:
    return tuple(names.split())


def _kinds(*names: str) -> dict[str, str]:
    return dict(zip(style.KINDS, names, strict=True))


def _directions(*names: str) -> dict[str, str]:
    return dict(zip(style.DIRECTIONS, names, strict=True))


LANGUAGES: dict[str, Language] = {
    "en": Language(
        before="Before", after="After", undated="date unknown", date="{day} {month} {year}",
        months=_months(
            "January February March April May June July August September October November December"
        ),
        kinds=_kinds(*style.KINDS), directions=_directions(*style.DIRECTIONS),
        found="Changes found", nothing="No change found.", unobserved="not observed",
        made=f"{style.MADE_MARK} - {style.MADE_NOTE}", made_images="Made images",
        delivered="Images as delivered",
        stretch="one stretch for both dates", pixel="{size} m a pixel",
        observed="observed on both dates: {share}",
        numbered="numbers on the best {some} of {all} findings",
    ),
    "fr": Language(
        before="Avant", after="Après", undated="date inconnue", date="{day} {month} {year}",
        months=_months(
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
        ),
        kinds=_kinds("bâtiment", "route", "terrassement", "défrichement", "engins", "autre"),
        directions=_directions("nouveau", "disparu", "modifié"),
        found="Changements relevés", nothing="Aucun changement relevé.", unobserved="non observé",
        made="IMAGE FABRIQUÉE - simulation, pas une photographie", made_images="Images fabriquées",
        delivered="Images telles que livrées", stretch="même étalement pour les deux dates",
        pixel="{size} m par pixel", observed="observé aux deux dates : {share}",
        numbered="numéros pour les {some} plus sûrs des {all} changements",
        colours={"true colour": "couleurs naturelles"},
    ),
    "ar": Language(
        before="قبل", after="بعد", undated="تاريخ غير معروف", date="{day} {month} {year}",
        months=_months("يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"),
        kinds=_kinds("مبنى", "طريق", "أعمال ترابية", "أرض ممهدة", "معدات", "تغير آخر"),
        directions=_directions("جديد", "أزيل", "معدّل"),
        found="التغيرات المرصودة", nothing="لم يُرصد أي تغير.", unobserved="غير مرصود",
        made="صورة مصطنعة - محاكاة، وليست صورة فوتوغرافية", made_images="صور مصطنعة",
        delivered="الصور كما وردت",
        stretch="بتدرج واحد للتاريخين", pixel="{size} م لكل بكسل", observed="ما رُصد في التاريخين: {share}",
        numbered="الأرقام على أوثق {some} من أصل {all}", colours={"true colour": "ألوان طبيعية"},
        right_to_left=True,
    ),
    "es": Language(
        before="Antes", after="Después", undated="fecha desconocida", date="{day} de {month} de {year}",
        months=_months(
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
        ),
        kinds=_kinds("edificio", "carretera", "movimiento de tierras", "desbroce", "maquinaria", "otro"),
        directions=_directions("nuevo", "desaparecido", "modificado"),
        found="Cambios hallados", nothing="No se halló ningún cambio.", unobserved="no observado",
        made="IMAGEN FABRICADA - simulación, no es una fotografía", made_images="Imágenes fabricadas",
        delivered="Imágenes como se entregaron", stretch="el mismo contraste en ambas fechas",
        pixel="{size} m por píxel", observed="observado en ambas fechas: {share}",
        numbered="números en los {some} más seguros de {all} cambios",
        colours={"true colour": "color natural"},
    ),
}  # fmt: skip

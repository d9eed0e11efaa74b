"""The forecasting network: rows in raw units and a state in, quantiles relative to the last value and a state out."""

import keras

from runnel.apps.forecasting.config import Config
from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.layers.quantile_head import QuantileHead, quantile_levels
from runnel.shared.layers.recurrent_stack import RecurrentStack
from runnel.shared.layers.segment_forecaster import SegmentForecaster
from runnel.shared.preprocessing.series_features import SeriesFeatures
from runnel.shared.preprocessing.series_spec import SeriesSpec

__all__ = ["build_model"]


def build_model(
    config: Config, spec: SeriesSpec, rows: int | None = None, use_cudnn: bool | str = "auto"
) -> keras.Model:
    """Builds the network.

    Args:
        config: the options, all decided.
        spec: what was fitted to the training rows.
        rows: forecast only after the last `rows` rows of a sequence, as training does; after every row by default.
        use_cudnn: False for a model that will be exported.

    Returns:
        A functional model from {`observation` [B, T, F], `timestamp` [B, T], `mask` [B, T], `state` {...}} to
        ({`quantiles` [B, R, H, Y, Q] relative to level and scale, `level` [B, R, Y], `scale` [B, R, Y], `values`
        [B, R, Y], `mask` [B, R], `elapsed` [B, R]}, state), where R is `rows` or T.
    """
    advanced, levels, since = config.advanced, quantile_levels(), None if rows is None else -rows

    # === Layers ===
    series_features = SeriesFeatures(spec, advanced.decay, advanced.prior_weight, name="series_features")
    if config.architecture == "recurrent":
        stack = RecurrentStack(
            config.cell, advanced.units, advanced.depth, advanced.dropout, True, use_cudnn=use_cudnn, name="stack"
        )
        dropout = keras.layers.Dropout(advanced.dropout, noise_shape=(None, 1, None), name="dropout")
        head = QuantileHead(config.horizon, spec.targets, levels, name="quantile_head")
    else:
        forecaster = SegmentForecaster(
            spec.targets,
            config.context,
            advanced.segment,
            advanced.units,
            config.horizon,
            levels,
            advanced.dropout,
            rows,
            spec.transform == "log_return",
            use_cudnn,
            name="segment_forecaster",
        )

    # === Functional Model ===
    observation = keras.Input((None, len(spec.columns)), name="observation")
    timestamp = keras.Input((None,), dtype="int64", name="timestamp")
    mask = keras.Input((None,), dtype="bool", name="mask")
    features_state = state_inputs(series_features)
    prepared, new_features_state = series_features(observation, timestamp, mask=mask, initial_state=features_state)
    outputs = {name: prepared[name][:, since:, : spec.targets] for name in ("level", "scale", "values")}
    outputs |= {name: prepared[name][:, since:] for name in ("mask", "elapsed")}

    if config.architecture == "recurrent":
        network_state = state_inputs(stack)
        encoded, new_network_state = stack(
            prepared["features"], mask=prepared["mask"], initial_state=network_state
        )  # [B, T, U]
        outputs["quantiles"] = head(dropout(encoded)[:, since:])
    else:
        network_state = state_inputs(forecaster)
        level, scale = (prepared[name][:, :, : spec.targets] for name in ("level", "scale"))
        outputs["quantiles"], new_network_state = forecaster(
            level, scale, prepared["mask"], initial_state=network_state
        )

    inputs = {"observation": observation, "timestamp": timestamp, "mask": mask, "state": features_state | network_state}
    return keras.Model(inputs, (outputs, new_features_state | new_network_state), name="forecaster")
